import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { accuracyOf, compareRuns, type Prediction } from "../evaluate/index.js";
import { parsePythonJson } from "./importers/python-json.js";
import { alignResults, explainDifference, loadResult, placeOf, type Result } from "./index.js";

/** Written by the real tools: reference/results/make.ts. */
const fixtures = fileURLToPath(new URL("../../test/fixtures/results/", import.meta.url));
const at = (...names: string[]): string => join(fixtures, ...names);
const folder = mkdtempSync(join(tmpdir(), "mmmlu-exchange-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("lm-evaluation-harness' results", () => {
  it("have our ids, and the accuracy that the tool itself told", async () => {
    const result = await loadResult(at("lm-eval"));
    expect(result).toMatchObject({
      name: "tiny",
      tool: "lm-evaluation-harness 0.4.13",
      facts: { model: "tiny", scoring: "log-likelihood", shots: 0 },
      notes: [],
    });
    expect(result.predictions.map(({ id }) => id)).toEqual(
      ["DE_DE", "FR_FR"].flatMap((language) => [0, 1, 2, 3, 4].map((index) => `${language}/anatomy/${index}`)),
    );
    const [name] = readdirSync(at("lm-eval", "tiny")).filter((one) => one.startsWith("results"));
    const { results } = JSON.parse(readFileSync(at("lm-eval", "tiny", name!), "utf8"));
    for (const language of ["DE_DE", "FR_FR"])
      expect(accuracyOf(result.predictions.filter((one) => one.language === language)).accuracy).toBeCloseTo(
        results[`mmmlu_${language.toLowerCase()}_anatomy`]["acc,none"],
        12,
      );
    for (const { prediction, logProbabilities } of result.predictions)
      expect("ABCD"[logProbabilities!.indexOf(Math.max(...logProbabilities!))]).toBe(prediction);
    expect(result.texts.get("DE_DE/anatomy/0")!.prompt).toMatch(/^The following are multiple choice.*\nAnswer:$/s);
    expect((await loadResult(at("lm-eval-2-shot"))).facts.shots).toBe(2);
  });

  it("that were generated have a result for each filter", async () => {
    const strict = await loadResult(at("lm-eval-generated"));
    expect(strict.facts).toMatchObject({
      scoring: "generated",
      maxTokens: 8,
      temperature: 0,
      reading: "filter strict",
    });
    expect((await loadResult(`${at("lm-eval-generated")}:flexible`)).name).toBe("tiny:flexible");
    await expect(loadResult(`${at("lm-eval-generated")}:no`)).rejects.toMatchObject({
      message: expect.stringMatching(/no answers of stage "no"/),
      hint: "It has: strict, flexible.",
    });
  });

  it("may hold log-likelihoods that are infinite or none, written as text or as Python's constants", async () => {
    const copy = join(folder, "infinite");
    cpSync(at("lm-eval"), copy, { recursive: true });
    const place = join(copy, "tiny");
    const [name] = readdirSync(place).filter((one) => one.startsWith("samples"));
    const lines = readFileSync(join(place, name!), "utf8").trimEnd().split("\n");
    const pairs: [string, string, number | undefined][] = [
      ['["-inf", "False"], ["-3.5", "False"], ["-inf", "False"], ["-4", "False"]', "B", Number.NEGATIVE_INFINITY],
      ["[-Infinity, false], [-3.5, false], [-2.5, false], [-Infinity, false]", "C", Number.NEGATIVE_INFINITY],
      ['["-1e-3", "True"], ["-9", "False"], ["-9", "False"], ["-9", "False"]', "A", -0.001],
      // A model that broke: the tool's own verdict is all there is.
      ['["nan", "False"], ["nan", "False"], ["nan", "False"], ["nan", "False"]', "none", undefined],
      ["[NaN, false], [NaN, false], [-1.0, false], [NaN, false]", "none", undefined],
    ];
    const written = pairs.map(([resps], index) => {
      const { resps: _resps, filtered_resps: _filtered, acc: _acc, ...rest } = JSON.parse(lines[index]!);
      return `${JSON.stringify(rest).slice(0, -1)}, "acc": ${index === 4 ? "NaN" : index === 3 ? "0.0" : "1.0"}, "resps": [], "filtered_resps": [${resps}]}\n`;
    });
    // The key is the letter that is said to be right, so that each verdict fits.
    const keyed = written.map((line, index) =>
      pairs[index]![1] === "none" ? line : line.replace(/"Answer":"."/, `"Answer":"${pairs[index]![1]}"`),
    );
    writeFileSync(join(place, name!), keyed.join(""));
    const { predictions, facts } = await loadResult(copy);
    expect(facts.scoring).toBe("log-likelihood");
    expect(
      predictions.slice(0, 5).map(({ prediction, logProbabilities }) => [prediction ?? "none", logProbabilities?.[0]]),
    ).toEqual(pairs.map(([, letter, first]) => [letter, first]));
  });

  it("say what is wrong with them", async () => {
    const copy = join(folder, "lm");
    cpSync(at("lm-eval"), copy, { recursive: true });
    const place = join(copy, "tiny");
    const samples = readdirSync(place).filter((name) => name.startsWith("samples"));
    writeFileSync(join(place, samples[0]!), '{"doc_id": "x"}\n');
    await expect(loadResult(copy)).rejects.toMatchObject({ message: expect.stringMatching(/samples_.*:1: doc_id/) });
    const [first] = readFileSync(at("lm-eval", "tiny", samples[0]!), "utf8").split("\n");
    const keyless = { ...JSON.parse(first!), doc: {}, target: "all of them" };
    writeFileSync(join(place, samples[0]!), `${JSON.stringify(keyless)}\n`);
    expect((await loadResult(copy)).notes.at(-1)).toBe("1 rows are no multiple-choice questions: left out.");
    writeFileSync(join(place, samples[1]!), "");
    await expect(loadResult(copy)).rejects.toMatchObject({
      message: expect.stringMatching(/holds no row that can be used: .*No row is in the samples of 1 tasks.* left out/),
    });
    for (const name of samples) rmSync(join(place, name));
    await expect(loadResult(copy)).rejects.toMatchObject({ hint: expect.stringMatching(/log_samples/) });
  });
});

describe("Inspect's logs", () => {
  it("are read from .eval and .json alike, a log a language", async () => {
    const packed = await loadResult(at("inspect-eval"));
    expect(packed).toMatchObject({
      tool: "Inspect 0.3.285",
      name: "openai-api/tiny/tiny",
      facts: { scoring: "generated", maxTokens: 8, temperature: 0 },
    });
    expect(packed.predictions.map(({ language, subject }) => `${language} ${subject}`)).toEqual([
      ...Array(5).fill("DE_DE anatomy"),
      ...Array(5).fill("FR_FR anatomy"),
    ]);
    const plain = await loadResult(at("inspect-json"));
    const without = ({ reply: _reply, ...rest }: Prediction) => rest;
    expect(plain.predictions.map(without)).toEqual(packed.predictions.slice(0, 5).map(without));
  });

  it("say what is wrong with them", async () => {
    const [name] = readdirSync(at("inspect-eval"));
    const torn = join(folder, name!);
    cpSync(at("inspect-eval", name!), torn);
    truncateSync(torn, 9000);
    await expect(loadResult(torn)).rejects.toMatchObject({ message: expect.stringMatching(/cannot read .*\.eval/) });
    writeFileSync(join(folder, "2026-01-01T00-00-00_x.json"), '{"eval": {"task": "t"}}');
    await expect(loadResult(join(folder, "2026-01-01T00-00-00_x.json"))).rejects.toMatchObject({
      message: expect.stringMatching(/eval\.model/),
    });
    writeFileSync(join(folder, "notes.txt"), "");
    await expect(loadResult(join(folder, "notes.txt"))).rejects.toMatchObject({
      hint: expect.stringMatching(/lm-evaluation-harness .*Inspect/),
    });
  });
});

describe("rows of two tools", () => {
  it("are matched by their text where one does not say which they are", async () => {
    const results = await Promise.all([loadResult(at("lm-eval")), loadResult(at("inspect-eval"))]);
    const { results: aligned, byText, unmatched, keysApart } = alignResults(results);
    expect([byText, keysApart]).toEqual([10, []]);
    expect(unmatched.map(({ count }) => count)).toEqual([0, 0]);
    expect(aligned[1]!.predictions.map(({ id }) => id)).toEqual(aligned[0]!.predictions.map(({ id }) => id));
    expect(compareRuns(aligned)).toMatchObject({ rows: 10 });
    const few = { ...results[0]!, predictions: results[0]!.predictions.slice(0, 3) };
    expect(alignResults([few, results[1]!]).unmatched).toMatchObject([{ count: 0 }, { count: 7 }]);
  });

  it("whose options stood in another order have their letters turned", async () => {
    const first = await loadResult(at("lm-eval"));
    const turn = <T extends string | null>(letter: T): T => (letter ? "DCBA"["ABCD".indexOf(letter)] : letter) as T;
    const second: Result = {
      ...first,
      name: "turned",
      predictions: first.predictions.map((one) => ({
        ...one,
        answer: turn(one.answer),
        prediction: turn(one.prediction),
        logProbabilities: [...one.logProbabilities!].reverse(),
      })),
      texts: new Map([...first.texts].map(([id, text]) => [id, { ...text, choices: [...text.choices!].reverse() }])),
    };
    const { results, turned } = alignResults([first, second]);
    expect(turned.size).toBe(10);
    expect(results[1]!.predictions).toEqual(first.predictions);
  });
});

it("takes Python's NaN and Infinity for nothing, but not in texts", () => {
  expect(parsePythonJson('{"a": NaN, "b": [-Infinity, Infinity], "c": "NaN \\"Infinity"}', "x", "")).toEqual({
    a: null,
    b: [null, null],
    c: 'NaN "Infinity',
  });
  expect(() => parsePythonJson('{"a": NaN', "x.json", "Mend it.")).toThrow(/^x\.json is not JSON/);
});

it.each([
  ["mmmlu_sw_ke_virology", { "Unnamed: 0": 7, Subject: "virology_test-sw-KE.csv" }, 3, "SW_KE/virology/7"],
  ["mmmlu_zh_cn_anatomy", {}, 3, "ZH_CN/anatomy/3"],
  ["mmlu_high_school_physics", {}, 12, "mmlu:en/high_school_physics/12"],
  ["global_mmlu_full_de_anatomy", { sample_id: "anatomy/test/5", subject: "anatomy" }, 0, "global-mmlu:de/anatomy/5"],
  ["inspect_evals/mmmlu", { id: "DE_DE/anatomy/4" }, undefined, "DE_DE/anatomy/4"],
  ["gsm8k", {}, 1, expect.stringMatching(/^text:und\/all\/\d+$/)],
])("knows which row %s %j asks", (task, doc, number, id) =>
  expect(placeOf({ task, doc, number, question: "q", choices: ["a", "b"] }).id).toEqual(id),
);

describe("a difference taken apart", () => {
  const LETTERS = ["A", "B", "C", "D"] as const;
  /** 200 rows, of which the share is right; others answer the next letter. */
  const result = (name: string, share: number, more: Partial<Result> = {}, rows = 200): Result => ({
    name,
    path: name,
    tool: "a tool 1",
    facts: { model: "m", scoring: "generated", shots: 0, temperature: 0 },
    texts: new Map(),
    notes: [],
    predictions: Array.from({ length: rows }, (_, i) => {
      const answer = LETTERS[i % 4]!;
      const letter = i < share * rows ? answer : LETTERS[(i + 1) % 4]!;
      return {
        id: `DE_DE/anatomy/${i}`,
        language: "DE_DE",
        subject: "anatomy",
        answer,
        prediction: letter,
        reply: `Answer: ${letter}`,
        stage: "test",
      };
    }),
    ...more,
  });
  const changed = (from: Result, change: (one: Prediction, index: number) => Partial<Prediction>): Result => ({
    ...from,
    name: "changed",
    predictions: from.predictions.map((one, index) => ({ ...one, ...change(one, index) })),
  });
  /** Points of each part that is not 0, and that all add up. */
  const parts = (a: Result, b: Result, turned?: ReadonlySet<string>): Record<string, number> => {
    const found = explainDifference(a, b, { turned });
    expect(found.parts.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(found.difference, 12);
    for (const { value, interval } of found.parts)
      if (interval) expect(interval[0] - 1e-9 <= value && value <= interval[1] + 1e-9).toBe(true);
    return Object.fromEntries(
      found.parts
        .filter(({ value }) => Math.abs(value) > 1e-12)
        .map(({ name, value }) => [name, Number((100 * value).toFixed(6))]),
    );
  };
  const a = result("a", 0.6);

  it("is nothing where nothing differs", () => {
    expect(parts(a, a)).toEqual({});
    expect(explainDifference(a, a).parts.at(-1)!.title).toBe("prompt");
  });

  it("lies in the rows where only those differ", () => {
    const b = { ...a, name: "b", predictions: a.predictions.slice(0, 150) };
    expect(parts(a, b)).toEqual({ rows: 20 });
  });

  it("is not in the reading where replies name letters of another order", () => {
    const b = changed(a, ({ prediction }) => ({ reply: `Answer: ${prediction === "A" ? "B" : "A"}` }));
    expect(parts(a, b, new Set(a.predictions.map(({ id }) => id)))).toEqual({});
  });

  it("lies in the keys where only those differ", () => {
    const b = changed(a, ({ prediction }, i) => (i >= 190 ? { answer: prediction! } : {}));
    expect(parts(a, b)).toEqual({ "answer key": 5 });
  });

  it("lies in the reading where the replies are the same", () => {
    const b = changed(a, (_, i) => (i < 20 ? { prediction: null, unreadable: "withoutLetter" } : {}));
    expect(parts(a, b)).toEqual({ reading: -10 });
  });

  it("lies in truncation where replies were cut", () => {
    const b = changed(a, (_, i) =>
      i < 30 ? { prediction: null, unreadable: "cut", cut: true, reply: "Let me think about" } : {},
    );
    expect(parts(a, b)).toEqual({ truncation: -15 });
  });

  it("lies in scoring where one result has both", () => {
    // The one wrote a letter and has log-probabilities that say another; the other was scored by them.
    const logs = (letter: string): number[] => LETTERS.map((one) => (one === letter ? -0.1 : -3));
    const both = changed(a, ({ answer, prediction }, i) => ({
      logProbabilities: logs(i < 140 ? answer : prediction!),
    }));
    const scored = changed(a, ({ answer, prediction }, i) => {
      const letter = i < 140 ? answer : prediction!;
      return { prediction: letter, reply: letter, logProbabilities: logs(letter) };
    });
    const facts = { ...a.facts, scoring: "log-likelihood" as const };
    expect(parts(both, { ...scored, facts })).toEqual({ scoring: 10 });
  });

  it("lies in the order of options where they stood otherwise", () => {
    const b = changed(a, ({ answer }, i) => (i >= 180 ? { prediction: answer, reply: `Answer: ${answer}` } : {}));
    expect(parts(a, b, new Set(a.predictions.map(({ id }) => id)))).toEqual({ "order of options": 10 });
  });

  it("lies in the rest else, named by what differs, and what cannot be told apart is said", () => {
    const b = { ...result("b", 0.7), facts: { ...a.facts, model: "other", shots: 5 } };
    expect(parts(a, b)).toEqual({ rest: 10 });
    const found = explainDifference(a, b);
    expect(found.factors.map(({ factor }) => factor)).toEqual(["model", "prompt", "prompt"]);
    expect(found.untold[0]).toMatch(/^model, prompt differ together/);
    expect(found.deciding).toHaveLength(20);
    const texts = new Map(a.predictions.map(({ id }) => [id, { prompt: "the same" }]));
    const alone = explainDifference({ ...a, texts }, { ...b, texts, facts: { ...a.facts, model: "org/other" } });
    expect(alone.parts.at(-1)!.title).toBe("model");
    const noise = explainDifference({ ...a, texts }, { ...result("b", 0.62), texts });
    expect(noise.parts.at(-1)).toMatchObject({ title: "sampling and noise" });
    expect(noise.parts.at(-1)!.interval![0]).toBeLessThan(noise.parts.at(-1)!.value);
  });

  it("is the model's where one run's answers before and after training are held against each other", () => {
    const manifest = { configurationHash: "0123456789", configuration: {}, model: { source: "m", shape: "x" } };
    const stage = (name: string, share: number): Result => {
      const one = result(name, share, { manifest: manifest as unknown as Result["manifest"] });
      return { ...one, predictions: one.predictions.map((row) => ({ ...row, stage: name })) };
    };
    const found = explainDifference(stage("baseline", 0.3), stage("final", 0.6));
    expect(found.factors).toEqual([{ factor: "model", what: "weights: not trained, and trained (01234567)" }]);
    expect(found.parts.at(-1)).toMatchObject({ title: "model", value: expect.closeTo(0.3, 9) });
    const other = stage("final", 0.6);
    const quantized = {
      ...other,
      manifest: { ...other.manifest!, model: { source: "m", shape: "x", quantization: "nf4" } },
    };
    expect(explainDifference(other, quantized).factors).toEqual([
      { factor: "model", what: 'quantization: null, and "nf4"' },
    ]);
  });

  it("of several causes at once adds up", () => {
    const b = changed({ ...a, predictions: a.predictions.slice(10) }, ({ answer, prediction }, i) =>
      i % 7 === 0
        ? { prediction: null, unreadable: "cut", cut: true, reply: "Well" }
        : i % 11 === 0
          ? { answer: prediction! }
          : i % 13 === 0
            ? { prediction: answer, reply: `Answer: ${answer}` }
            : {},
    );
    expect(Object.keys(parts(a, b))).toEqual(["rows", "answer key", "truncation", "rest"]);
  });

  it("is refused where nothing is in common", () => {
    const b = changed(a, ({ id }) => ({ id: id.replace("DE_DE", "FR_FR") }));
    expect(() => explainDifference(a, b)).toThrow(/no row in common/);
  });
});
