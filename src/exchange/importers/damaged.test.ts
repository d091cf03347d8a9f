import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { loadResult } from "../index.js";

/** Written by the real tools: reference/results/make.ts. */
const fixtures = fileURLToPath(new URL("../../../test/fixtures/results/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "mmmlu-damaged-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let copies = 0;
const copyOf = (name: string): string => {
  const copy = join(folder, `${copies++}`);
  cpSync(join(fixtures, name), copy, { recursive: true });
  return copy;
};

describe("samples of lm-evaluation-harness", () => {
  const samplesOf = (copy: string): string[] =>
    readdirSync(join(copy, "tiny"))
      .filter((name) => name.startsWith("samples"))
      .map((name) => join(copy, "tiny", name));

  it("whose last line is torn are read without it, and both the line and what is missing are said", async () => {
    const copy = copyOf("lm-eval");
    const [first] = samplesOf(copy);
    truncateSync(first!, readFileSync(first!).length - 100);
    const { predictions, notes } = await loadResult(copy);
    expect(predictions).toHaveLength(9);
    expect(notes).toEqual([
      `${first}:5 is torn (the last line, without its end): left out.`,
      "Fewer samples than the results were measured by are in 1 files: mmmlu_de_de_anatomy (4 of 5).",
    ]);
  });

  it("that are cut within a character are torn in this line alone", async () => {
    const copy = copyOf("lm-eval");
    const [first] = samplesOf(copy);
    const [bytes, character] = [readFileSync(first!), Buffer.from("\u92d2")];
    writeFileSync(first!, Buffer.concat([bytes, Buffer.from('{"doc_id": 5, "doc": "'), character.subarray(0, 2)]));
    const { predictions, notes } = await loadResult(copy);
    expect([predictions.length, notes]).toEqual([
      10,
      [`${first}:6 is torn (the last line, without its end): left out.`],
    ]);
  });

  it("that lack whole lines or files are said to", async () => {
    const copy = copyOf("lm-eval");
    const [first, second] = samplesOf(copy);
    writeFileSync(first!, readFileSync(first!, "utf8").split("\n").slice(0, 2).join("\n"));
    rmSync(second!);
    expect((await loadResult(copy)).notes).toEqual([
      "Fewer samples than the results were measured by are in 1 files: mmmlu_de_de_anatomy (2 of 5).",
      "No samples are there of 1 tasks in the results: mmmlu_fr_fr_anatomy.",
    ]);
  });

  it.each([
    ["numbers its answers from 1", { A: "w", B: "x", C: "y", D: "z" }, 1],
    ["has numbers for options", { choices: ["1", "3", "0", "2"] }, 0],
  ])("of a task that %s have the harness's own keys", async (_kind, options, from) => {
    const copy = copyOf("lm-eval");
    const [first] = samplesOf(copy);
    const lines = readFileSync(first!, "utf8").trimEnd().split("\n").slice(0, 4);
    const rows = lines.map((line, right) => {
      const likeliest = right === 2 ? 0 : right;
      const pairs = [0, 1, 2, 3].map((place) => [place === likeliest ? "-0.5" : "-5.0", String(place === likeliest)]);
      const doc = { question: `q${right}`, ...options, ...("A" in options ? { answer: right + from } : {}) };
      const acc = right === likeliest ? 1 : 0;
      return {
        ...JSON.parse(line),
        doc,
        target: String(right),
        acc,
        resps: pairs.map((one) => [one]),
        filtered_resps: pairs,
      };
    });
    writeFileSync(first!, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const { predictions } = await loadResult(copy);
    expect(predictions.slice(0, 4).map(({ answer, prediction }) => [answer, prediction])).toEqual([
      ["A", "A"],
      ["B", "B"],
      ["C", "A"],
      ["D", "D"],
    ]);
  });

  it("that stand there twice count once, and a byte order mark is passed over", async () => {
    const copy = copyOf("lm-eval");
    const [first] = samplesOf(copy);
    const text = readFileSync(first!, "utf8");
    writeFileSync(first!, `\ufeff${text}${text.split("\n")[0]}\n`);
    const { predictions, notes } = await loadResult(copy);
    expect([predictions.length, notes]).toEqual([10, ["1 rows stood there more than once: the first counts."]]);
  });

  it.each<[string, (bytes: Buffer) => Buffer, RegExp]>([
    [
      "a bad line with an end",
      (bytes) => Buffer.concat([bytes, Buffer.from('{"doc_id": 5,\n')]),
      /samples_.*:6 is not JSON/,
    ],
    ["UTF-16", (bytes) => Buffer.from(`\ufeff${bytes.toString("utf8")}`, "utf16le"), /is UTF-16/],
    ["Latin-1", (bytes) => Buffer.from(bytes.toString("utf8").replace("Welches", "Größe"), "latin1"), /is not UTF-8/],
    ["gzip", (bytes) => gzipSync(bytes), /is packed by gzip/],
    ["a list", () => Buffer.from("[1]\n"), /samples_.*:1: expected/],
    [
      "a number that is none",
      (bytes) => Buffer.from(bytes.toString("utf8").replace('"doc_id": 0', '"doc_id": NaN')),
      /:1: doc_id/,
    ],
    [
      "a score beyond 1",
      (bytes) => Buffer.from(bytes.toString("utf8").replace(/"acc": [\d.]+/, '"acc": 7')),
      /:1: acc/,
    ],
  ])("that are %s are refused by name", async (_, change, message) => {
    const copy = copyOf("lm-eval");
    const [first] = samplesOf(copy);
    writeFileSync(first!, change(readFileSync(first!)));
    await expect(loadResult(copy)).rejects.toMatchObject({
      message: expect.stringMatching(message),
      hint: expect.stringMatching(/./),
    });
  });

  it("that are packed beside their results are said to be", async () => {
    const copy = copyOf("lm-eval");
    for (const name of samplesOf(copy)) {
      writeFileSync(`${name}.gz`, gzipSync(readFileSync(name)));
      rmSync(name);
    }
    await expect(loadResult(copy)).rejects.toMatchObject({ hint: "They are packed: unpack them." });
  });
});

describe("logs of Inspect", () => {
  type Log = { status: string; results: Record<string, unknown>; samples: Record<string, unknown>[] };
  const changed = async (change: (log: Log) => void) => {
    const copy = copyOf("inspect-json");
    const path = join(copy, readdirSync(copy)[0]!);
    const log = JSON.parse(readFileSync(path, "utf8")) as Log;
    change(log);
    writeFileSync(path, JSON.stringify(log));
    const { predictions, notes } = await loadResult(copy);
    return { path, right: predictions.map(({ answer, prediction }) => answer === prediction), notes };
  };
  const score = (log: Log, index: number, value: unknown, scorer = "choice"): void => {
    (log.samples[index]!["scores"] as Record<string, unknown>)[scorer] = { value, answer: "" };
  };

  it("have scores in all of Inspect's words, and what is no verdict is counted", async () => {
    const { right, notes } = await changed((log) =>
      ["C", "P", "1.0", { accuracy: 1 }, [1]].forEach((value, index) => score(log, index, value)),
    );
    expect(right).toEqual([true, false, true]);
    expect(notes).toEqual(["2 samples have no score that is a verdict: left out."]);
    const words = await changed((log) =>
      ["yes", "N", true, 0.5, Number.NaN].forEach((value, index) => score(log, index, value)),
    );
    expect(words.right).toEqual([true, false, true, false]);
  });

  it("of several scorers are read by Inspect's own, and that is said", async () => {
    const plain = await changed(() => undefined);
    const said = ["Of several scorers one counts: choice."];
    for (const value of [1, 12]) {
      // What judges the form of a reply stands before what judges its letter.
      const { notes, right } = await changed((log) => {
        for (const sample of log.samples)
          sample["scores"] = { form: { value }, ...(sample["scores"] as Record<string, unknown>) };
      });
      expect(notes).toEqual(said);
      expect(right).toEqual(plain.right);
    }
    const { notes } = await changed((log) => score(log, 0, "C", "second"));
    expect(notes).toEqual(said);
  });

  it("of several epochs are read by epoch, without the figure that a reducer made of all", async () => {
    const copy = copyOf("inspect-json");
    const path = join(copy, readdirSync(copy)[0]!);
    const log = JSON.parse(readFileSync(path, "utf8")) as Log;
    expect((await loadResult(path)).reported).toEqual(expect.any(Number));
    const again = log.samples.map((sample) => ({ ...sample, epoch: 2 }));
    writeFileSync(path, JSON.stringify({ ...log, samples: [...log.samples, ...again] }));
    for (const reference of [path, `${path}:2`]) {
      const { predictions, reported, notes } = await loadResult(reference);
      expect([predictions.length, reported]).toEqual([log.samples.length, undefined]);
      expect(notes).toEqual([`One of 2 epochs counts; ${path}:EPOCH names another.`]);
    }
  });

  it("that were broken off, failed, or lack samples are said to", async () => {
    const { notes, path } = await changed((log) => {
      log.status = "started";
      log.samples.pop();
    });
    expect(notes).toEqual([
      `${path} was broken off: it has 4 samples and no end.`,
      `${path} holds 4 of the 5 samples that its results were measured by.`,
    ]);
    const failed = await changed((log) => {
      log.status = "error";
    });
    expect(failed.notes).toEqual([`${failed.path}: the log's status is error.`]);
    const copy = copyOf("inspect-eval");
    const empty = join(copy, "2027-01-01T00-00-00_empty.json");
    const log = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(empty, JSON.stringify({ ...log, samples: [] }));
    expect((await loadResult(copy)).notes).toEqual([`${empty} holds no sample.`]);
    appendFileSync(empty, "x");
    await expect(loadResult(copy)).rejects.toMatchObject({
      message: expect.stringMatching(/_empty\.json is not JSON/),
    });
  });
});
