import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mmmlu } from "./command.js";

const folder = mkdtempSync(join(tmpdir(), "mmmlu-command-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (...names: string[]): string => join(folder, ...names);

const HEADER = ",Question,A,B,C,D,Answer,Subject";
const GOOD = '0,"Was ist\neins?",1,2,3,4,A,anatomy\n1,Und zwei?,1,2,3,4,B,anatomy';

/** A folder with one file of German rows. */
function data(name: string, content: string | Uint8Array): string {
  mkdirSync(at(name, "test"), { recursive: true });
  writeFileSync(at(name, "test", "mmlu_DE-DE.csv"), content);
  return at(name);
}

const baseline = (source: string, out: string, ...more: string[]): string[] => [
  "run",
  "gemma-3-27b-baseline",
  "--data",
  source,
  "--languages",
  "DE_DE",
  "--model",
  "baseline:longest",
  "--set",
  "split=null",
  "--set",
  "filter=null",
  "--set",
  "tokenizer.source=sample",
  "--out",
  at(out),
  ...more,
];

describe("wrong usage ends with exit code 2 and says what to do", () => {
  it.each([
    [["run", "no-such-experiment"], /there is no experiment "no-such-experiment"[^]*Presets: eda, flan-t5-finetune/],
    [["run"], /missing required argument 'experiment'/],
    [["fly"], /unknown command 'fly'/],
    [["lisst"], /Did you mean list\?/],
    [["run", "flan-t5-finetun"], /did you mean flan-t5-finetune\?/],
    [["run", "eda", "--set", "data.langages=[]"], /data\.langages: there is no such key.*; did you mean languages\?/],
    [["run", "eda", "--languages", "DE"], /^mmmlu: --languages DE: a language is written as DE_DE/],
    [["run", "eda", "--languages", "DE_DE,FR-FR"], /--languages DE_DE,FR-FR: .*did you mean FR_FR\?/],
    [["run", "flan-t5-finetune", "--device", "gpu"], /^mmmlu: --device gpu: expected one of cpu, .*, not "gpu"/],
    [["run", "eda", "--set", "data.speed=3"], /--set: data\.speed: there is no such key/],
    [["run", "flan-t5-finetune", "--set", "training.epochs=zero"], /training\.epochs/],
    [["run", "eda", "--limit", "x"], /^mmmlu: --limit x: expected a number, not "x"/],
    [["run", "eda", "--limit", "1.5"], /^mmmlu: --limit 1\.5: expected a whole number, not 1\.5/],
    [["run", "eda", "--model", "gpt2"], /^mmmlu: --model gpt2: an experiment of kind explore has nothing of the sort/],
    [["run", "absent.ts"], /^mmmlu: cannot read absent\.ts: there is no such file\n +Check the path/],
    [["run", "READM.json"], /^mmmlu: cannot read READM\.json: there is no such file/],
    [["show", "eda", "--set", "nonsense"], /expected key=value/],
    [["run", "flan-t5-finetune", "--set", "lora.rank=0"], /lora\.rank/],
    [["view", "--port", "70000"], /a port is a whole number/],
    [["compare", "only-one"], /a comparison needs two runs/],
    [["prepare", "eda"], /splits nothing/],
    [
      ["run", "gemma-3-27b-baseline", "--model", "baseline:shortest"],
      /no baseline "baseline:shortest": there are baseline:majority/,
    ],
    [["run", "gemma-3-27b-baseline", "--set", "answerer.logprobs=true"], /answerer\.logprobs: .*questionsPerRequest=1/],
    [["run", "eda", "--sample", "--data", "openai/MMMLU"], /--sample and --data/],
    [["validate", "absent.json"], /cannot read absent\.json/],
  ])("%j", async (given, message) => {
    const { code, error, out } = await mmmlu(given);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(error).toMatch(message);
    expect(error).not.toMatch(/\n {4}at /);
  });

  it("names the bad key of a configuration file", async () => {
    writeFileSync(at("bad.json"), JSON.stringify({ extends: "flan-t5-finetune", training: { epoch: 3 } }));
    const { code, error } = await mmmlu(["validate", at("bad.json")]);
    expect(code).toBe(2);
    expect(error).toContain("bad.json: training.epoch: there is no such key (there are weightDecay,");
  });

  it.each([
    ['{ "extends": "eda",\n\n  "name": yes\n}', 3],
    ['{ "extends": "eda",\n  "name": "a"\n  "subjectsDrawn": 3\n}', 3],
    ['{ "extends": "eda",\n  "name": "a\n  "subjectsDrawn": 3\n}', 2],
    ['{ "extends": "eda",\n', 2],
  ])("names the line of what is not JSON: %j", async (text, line) => {
    writeFileSync(at("broken.json"), text);
    expect(await mmmlu(["validate", at("broken.json")])).toMatchObject({
      code: 2,
      error: expect.stringContaining(`broken.json:${line}: not JSON`),
    });
  });

  it("reads a configuration in TypeScript that extends a preset", async () => {
    writeFileSync(
      at("mine.ts"),
      'const epochs: number = 3;\nexport default { extends: "flan-t5-finetune", name: "mine", training: { ' +
        "epochs } };\n",
    );
    expect(await mmmlu(["validate", at("mine.ts")])).toMatchObject({
      code: 0,
      out: expect.stringContaining('a valid finetune experiment, "mine"'),
    });
    const shown = JSON.parse((await mmmlu(["show", at("mine.ts")])).out);
    expect(shown).toMatchObject({ name: "mine", training: { epochs: 3, batchSize: 8, learningRate: 2e-5 } });
  });
});

describe("bad data ends with exit code 1, the file and the line, and nothing half-written", () => {
  it.each<[string, string | Uint8Array, RegExp]>([
    ["a missing column", ",Question,A,B,C,Answer,Subject\n0,Q,1,2,3,A,anatomy\n", /mmlu_DE-DE\.csv[^]*column[^]*\bD\b/],
    ["a row with too few cells", `${HEADER}\n${GOOD}\n2,Drei?,1,2\n`, /mmlu_DE-DE\.csv:5/],
    ["an unclosed quote", `${HEADER}\n${GOOD}\n2,"Drei?,1,2,3,4,A,anatomy\n`, /mmlu_DE-DE\.csv:5[^]*quote/],
    [
      "an answer that is no letter",
      `${HEADER}\n${GOOD}\n2,Drei?,1,2,3,4,E,anatomy\n`,
      /mmlu_DE-DE\.csv:5: the answer is "E", expected A, B, C or D/,
    ],
    [
      "bytes that are not UTF-8",
      Buffer.concat([
        Buffer.from(`${HEADER}\n${GOOD}\n2,`),
        Buffer.from([0xc3, 0x28]),
        Buffer.from(",1,2,3,4,A,anatomy\n"),
      ]),
      /mmlu_DE-DE\.csv:5[^]*UTF-8/,
    ],
    ["an empty file", "", /mmlu_DE-DE\.csv[^]*empty/],
    ["an id that repeats", `${HEADER}\n${GOOD}\n1,Noch einmal?,1,2,3,4,A,anatomy\n`, /mmlu_DE-DE\.csv:5[^]*(line )?4/],
  ])("%s", async (name, content, message) => {
    const slug = name.replaceAll(" ", "-");
    const { code, error } = await mmmlu(baseline(data(slug, content), `out-${slug}`));
    expect(error).toMatch(message);
    expect(code).toBe(1);
    const left = existsSync(at(`out-${slug}`)) ? readdirSync(at(`out-${slug}`)) : [];
    expect(left.filter((file) => file !== "run.json" && file !== "run.log")).toEqual([]);
  });

  it("a language that is not there", async () => {
    const { code, error } = await mmmlu([
      ...baseline(data("german", `${HEADER}\n${GOOD}\n`), "out-language"),
      "--languages",
      "DE_DE,XX_YY",
    ]);
    expect(code).toBe(1);
    expect(error).toMatch(/XX_YY[^]*DE_DE/);
  });

  // A limit on the size of files fails a write half-way, as a full disk does.
  it.skipIf(process.platform === "win32")("a disk that is full when the report is written", async () => {
    const few = data("few-rows", `${HEADER}\n${GOOD}\n`);
    const limited = async (kibibytes: string) => {
      const { stderr } = await promisify(execFile)("bash", [
        "-c",
        `ulimit -f ${kibibytes}; "$@"; echo "code $?" >&2`,
        "bash",
        process.execPath,
        "dist/cli/main.js",
        ...baseline(few, "full"),
      ]);
      return stderr;
    };
    expect(await limited("16")).toMatch(/cannot write .*report\.html: [^]*code 1\n$/);
    const left = readdirSync(at("full"), { recursive: true, encoding: "utf8" });
    expect(left).toContain("replies.jsonl");
    expect(left.filter((name) => /manifest|report|\.tmp$/.test(name))).toEqual([]);
    // With room again the same command ends the run, and asks nothing twice.
    expect(await limited("unlimited")).toMatch(/code 0\n$/);
    expect(JSON.parse(readFileSync(at("full", "metrics.json"), "utf8"))).toMatchObject({ n: 2, asked: 0, cached: 2 });
  });
});

describe("a run", () => {
  let source = "";
  beforeAll(() => {
    source = data("few", `${HEADER}\n${GOOD}\n2,Drei?,"lang, sehr lang",2,3,4,A,virology_test.csv_de-DE.csv\n`);
  });

  it("leaves what the contract says, and says what it cleaned", async () => {
    const { code, out } = await mmmlu(baseline(source, "whole"));
    expect(code).toBe(0);
    expect(out).toMatch(/accuracy .* of 3[^]*report: file:\/\//);
    const json = (name: string): any => JSON.parse(readFileSync(at("whole", name), "utf8"));
    expect(json("splits.json")).toEqual({
      train: [],
      validation: [],
      test: ["DE_DE/anatomy/0", "DE_DE/anatomy/1", "DE_DE/virology/0"].map((id) =>
        id.includes("virology") ? "DE_DE/virology/2" : id,
      ),
    });
    expect(json("metrics.json")).toMatchObject({
      n: 3,
      unreadable: 0,
      confusion: expect.any(Array),
      subjects: { anatomy: { n: 2 }, virology: { n: 1 } },
    });
    expect(
      json("metrics.json")
        .confusion.flat()
        .reduce((a: number, b: number) => a + b),
    ).toBe(3);
    const predictions = readFileSync(at("whole", "predictions.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const one of predictions)
      expect(Object.keys(one)).toEqual(
        expect.arrayContaining(["id", "language", "subject", "answer", "prediction", "reply", "stage"]),
      );
    expect(predictions[2]).toMatchObject({ id: "DE_DE/virology/2", subject: "virology", answer: "A", prediction: "A" });
    expect(json("manifest.json")).toMatchObject({ data: { cleanedSubjects: { DE_DE: 1 } } });
    expect(readdirSync(at("whole", "figures")).filter((name) => name.endsWith(".svg")).length).toBeGreaterThan(2);
    const report = readFileSync(at("whole", "report.html"), "utf8");
    expect(report).not.toMatch(/(src|href)="https?:/);
  });

  it("is scored again with another reading, from its replies alone", async () => {
    const { code, out } = await mmmlu([
      "score",
      at("whole"),
      "--answer-extraction",
      "lines",
      "--json",
      "--predictions",
      at("read.jsonl"),
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      test: { n: 3, correct: JSON.parse(readFileSync(at("whole", "metrics.json"), "utf8")).correct },
    });
    expect(readFileSync(at("read.jsonl"), "utf8")).toBe(readFileSync(at("whole", "predictions.jsonl"), "utf8"));
    // Its three answers came in one reply.
    expect(await mmmlu(["score", at("whole"), "--answer-extraction", "first-match"])).toMatchObject({
      code: 2,
      error: expect.stringMatching(/reads one question a reply/),
    });
    expect(await mmmlu(["score", folder])).toMatchObject({
      code: 1,
      error: expect.stringMatching(/no replies\.jsonl/),
    });
  });

  it("prepared is only filtered, split and audited", async () => {
    const { code, out } = await mmmlu([
      "prepare",
      "flan-t5-finetune",
      "--sample",
      "--set",
      "split.kind=grouped",
      "--out",
      at("prepared"),
    ]);
    expect(code).toBe(0);
    expect(out).toMatch(
      /train \d+, validation \d+, test \d+[^]*of \d+ test rows 0 have a translation in train, 0 an exact duplicate/,
    );
    expect(readdirSync(at("prepared")).sort()).toEqual(["audit.json", "run.json", "splits.json"]);
    const published = await mmmlu([
      "prepare",
      "flan-t5-finetune",
      "--sample",
      "--set",
      "split.kind=published",
      "--out",
      at("prepared-published"),
    ]);
    expect(Number(/of \d+ test rows (\d+) have a translation/.exec(published.out)?.[1])).toBeGreaterThan(300);
  });

  it("is refused in a folder of another configuration, which stays as it was", async () => {
    const before = readFileSync(at("whole", "metrics.json"), "utf8");
    const { code, error } = await mmmlu(baseline(source, "whole", "--set", "answerExtraction=robust"));
    expect(code).toBe(1);
    expect(error).toMatch(/another configuration \(it differs in answerExtraction\)[^]*--fresh/);
    expect(readFileSync(at("whole", "metrics.json"), "utf8")).toBe(before);
  });

  it("with --fresh moves the older run aside", async () => {
    cpSync(at("whole"), at("again"), { recursive: true });
    expect((await mmmlu(baseline(source, "again", "--set", "answerExtraction=robust", "--fresh"))).code).toBe(0);
    const aside = readdirSync(folder).filter((name) => name.startsWith("again.before-"));
    expect(aside).toHaveLength(1);
    expect(readFileSync(at(aside[0]!, "metrics.json"), "utf8")).toBe(readFileSync(at("whole", "metrics.json"), "utf8"));
  });

  it("is refused in a folder that holds something else", async () => {
    mkdirSync(at("other"));
    writeFileSync(at("other", "letter.txt"), "dear");
    const { code, error } = await mmmlu(baseline(source, "other"));
    expect(code).toBe(1);
    expect(error).toMatch(/is not empty and holds no run/);
    expect(readdirSync(at("other"))).toEqual(["letter.txt"]);
  });

  it("names a server that is not there", async () => {
    const { code, error } = await mmmlu(
      baseline(source, "nobody", "--set", "answerer.model=m", "--set", "answerer.retries=1"),
      { environment: { LMSTUDIO_ENDPOINT: "http://127.0.0.1:9/v1/" } },
    );
    expect(code).toBe(1);
    expect(error).toMatch(/127\.0\.0\.1:9/);
  });

  it.skipIf(process.platform === "win32")("ends quietly where nobody reads on", async () => {
    const { stderr } = await promisify(execFile)("bash", [
      "-c",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's own
      '"$@" | true; echo "code ${PIPESTATUS[0]}" >&2',
      "bash",
      process.execPath,
      "dist/cli/main.js",
      "show",
      "flan-t5-finetune",
    ]);
    expect(stderr).toBe("code 0\n");
  });

  it("prints a stack only with --debug", async () => {
    const { error } = await mmmlu(["run", "nothing", "--debug"]);
    expect(error).toMatch(/\n {4}at /);
  });
});
