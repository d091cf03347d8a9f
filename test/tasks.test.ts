import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silent } from "../src/base/progress.js";
import { type Corpus, loadCorpus } from "../src/data/index.js";
import { configure, runExperiment } from "../src/experiments/index.js";
import { lettersOf, questionOf } from "../src/tasks/index.js";
import { mmmlu } from "./command.js";
import { shared, withoutShared } from "./shared.js";
import {
  globalMmluRows,
  includeRows,
  mmluProxRows,
  mmluRows,
  mmmluFile,
  questions,
  TYPES,
  writeParquet,
} from "./task-files.js";

const root = mkdtempSync(join(tmpdir(), "tasks-run-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const part = "test-00000-of-00001.parquet";
const four = questions(["anatomy", "virology"], 40);
const ten = questions(["math", "law"], 40, 10);

beforeAll(async () => {
  const at = (task: string, language: string): string => join(root, task, language, part);
  for (const language of ["de", "fr"])
    await writeParquet(at("global-mmlu", language), TYPES["global-mmlu"], globalMmluRows(language, four));
  for (const language of ["en", "de"])
    await writeParquet(at("mmlu-prox", language), TYPES["mmlu-prox"], mmluProxRows(language, ten));
  for (const language of ["German", "French"])
    await writeParquet(at("include", language), TYPES.include, includeRows(language, four));
  await writeParquet(at("mmlu", "all"), TYPES.mmlu, mmluRows(four));
  mkdirSync(join(root, "mmmlu", "test"), { recursive: true });
  for (const language of ["DE-DE", "FR-FR"])
    writeFileSync(join(root, "mmmlu", "test", `mmlu_${language}.csv`), mmmluFile(language, four));
  const own = ten.map((one, i) => ({
    id: i,
    question: `Which of ${one.subject} ${i} lives?`,
    choices: Array.from({ length: Math.max(2 + (i % 9), one.answer + 1) }, (_, place) =>
      place === one.answer ? "dog" : "stone",
    ),
    answer: "ABCDEFGHIJ"[one.answer],
    subject: one.subject,
  }));
  writeFileSync(join(root, "questions.jsonl"), own.map((row) => `${JSON.stringify(row)}\n`).join(""));
});

let runs = 0;
/** Runs an experiment and gives what its folder holds. */
async function run(preset: string, settings: Record<string, unknown>) {
  const configuration = await configure(
    preset,
    Object.entries({ "tokenizer.source": "sample", ...settings }).map(
      ([key, value]) => `${key}=${JSON.stringify(value)}`,
    ),
  );
  const out = join(root, `run-${runs++}`);
  await runExperiment(configuration, { out, progress: silent, environment: {} });
  const json = (name: string): any => JSON.parse(readFileSync(join(out, name), "utf8"));
  const predictions = (): any[] =>
    readFileSync(join(out, "predictions.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  return { out, json, predictions, report: readFileSync(join(out, "report.html"), "utf8") };
}

/** A task's folder, how many rows and languages it has here, its letters, and what it calls German. */
const shapes = [
  ["mmmlu", 160, ["DE_DE", "FR_FR"], 4, 80],
  ["global-mmlu", 160, ["de", "fr"], 4, 80],
  ["mmlu-prox", 160, ["de", "en"], 10, 80],
  ["include", 160, ["French", "German"], 4, 160],
  ["mmlu", 80, ["en"], 4, 80],
  ["own-rows", 80, ["und"], 10, 80],
] as const;
const sourceOf = (task: string): string => join(root, task === "own-rows" ? "questions.jsonl" : task);

describe.each(shapes)("%s", (task, rows, languages, letters, asked) => {
  const data = { "data.source": sourceOf(task), "data.task": task, "data.languages": null };

  it("is explored", async () => {
    const { json, report } = await run("eda", data);
    const metrics = json("metrics.json");
    expect(metrics).toMatchObject({ rows, columns: expect.any(Array) });
    expect(Object.keys(metrics.languages).sort()).toEqual(languages);
    expect(Object.keys(metrics.answers).sort()).toEqual(lettersOf(letters));
    expect(metrics.keyDifferences).toEqual([]);
    expect(json("manifest.json").data).toMatchObject({ task, rows });
    expect(report).toContain("Answer balance by subject");
  });

  it("is split by question, evaluated and reported", async () => {
    const { json, predictions, report, out } = await run("gemma-3-27b-baseline", {
      ...data,
      "split.kind": "grouped",
      "answerer.model": "baseline:longest",
      "answerer.questionsPerRequest": 1,
      reading: "robust",
    });
    const metrics = json("metrics.json");
    expect(metrics.n).toBeGreaterThan(rows / 20);
    expect(metrics.audit.test.either).toBe(0);
    expect(metrics.unreadable).toBe(0);
    const test = predictions();
    const widest = Math.max(...test.map((one) => one.options ?? 4));
    expect(metrics.confusion.length).toBe(widest);
    expect(metrics.statistics.overall.chance).toBeCloseTo(
      test.reduce((sum, one) => sum + 1 / (one.options ?? 4), 0) / test.length,
      12,
    );
    if (task !== "mmmlu")
      expect(test[0].id.startsWith(task === "own-rows" ? "questions.jsonl:" : `${task}:`)).toBe(true);
    // Translations are one cluster where the rows translate each other.
    const clusters = metrics.statistics.clustered.clusters;
    expect(clusters).toBe((metrics.n * asked) / rows);
    expect(readFileSync(join(out, "figures", "confusion.svg"), "utf8")).toContain("unreadable");
    expect(report).toContain('"letters":["A","B"');
  });
});

describe("questions of ten options", () => {
  it("are learnt from, asked and scored by their own letters", async () => {
    const { json, predictions } = await run("flan-t5-finetune", {
      "data.source": sourceOf("mmlu-prox"),
      "data.task": "mmlu-prox",
      "data.languages": null,
      "model.source": "sample",
      "split.kind": "grouped",
      "filter.maxTokens": 400,
      "training.epochs": 1,
      "training.learningRate": 1e-3,
      modelLink: null,
    });
    const { baseline, final, training } = json("metrics.json");
    expect(training.rows).toBeGreaterThan(100);
    expect([baseline.confusion.length, final.confusion.length]).toEqual([10, 10]);
    // A model that was only shown what an answer looks like answers with letters up to J.
    const given = new Set(predictions().map((one) => one.prediction));
    expect([...given].filter((letter) => letter !== null).length).toBeGreaterThan(0);
    for (const one of predictions()) {
      expect(one.logProbabilities.length).toBe(one.options ?? 4);
      if (one.prediction !== null) expect(lettersOf(one.options ?? 4)).toContain(one.prediction);
    }
  });
});

describe("two sources", () => {
  const data = {
    "data.source": sourceOf("mmmlu"),
    "data.languages": ["FR_FR"],
    "data.trainFrom": { source: sourceOf("global-mmlu"), task: "global-mmlu", languages: ["de"] },
    "answerer.model": "baseline:majority",
    "answerer.questionsPerRequest": 1,
  };
  it("train on one, test on the other, and no question is on both sides of a grouped split", async () => {
    const { json } = await run("gemma-3-27b-baseline", { ...data, "split.kind": "grouped" });
    const { train, test } = json("splits.json") as { train: string[]; test: string[] };
    expect(train.every((id) => id.startsWith("global-mmlu:de/"))).toBe(true);
    expect(test.every((id) => id.startsWith("FR_FR/"))).toBe(true);
    const questionOf = (id: string): string => id.slice(id.indexOf("/") + 1);
    const trained = new Set(train.map(questionOf));
    expect(test.some((id) => trained.has(questionOf(id)))).toBe(false);
    expect(json("metrics.json").audit.test).toMatchObject({ translationInTrain: 0, either: 0 });
    expect(json("manifest.json").data).toMatchObject({
      task: "mmmlu",
      rows: 80,
      trainFrom: { task: "global-mmlu", rows: 80 },
    });
  });
  it("have their leak told otherwise", async () => {
    const { json, report } = await run("gemma-3-27b-baseline", {
      ...data,
      "split.kind": "published",
      "data.trainFrom": { ...data["data.trainFrom"], rowsPerLanguage: 75 },
    });
    const { test } = json("metrics.json").audit;
    expect(test.translationInTrain).toBeGreaterThan(0);
    expect(report).toContain("have a twin in train");
  });
});

describe("the command", () => {
  it("takes a file of own rows, and says what it guessed", async () => {
    const { code, out, error } = await mmmlu(
      ["run", "eda", "--data", sourceOf("own-rows"), "--set", "tokenizer.source=sample", "--out", join(root, "own")],
      { folder: root },
    );
    expect({ code, error }).toMatchObject({ code: 0 });
    expect(out).toMatch(/80 rows, 1 language, 2 subjects/);
    expect(error).toMatch(
      /questions\.jsonl: question from "question"; options from the list "choices"; answer from "answer" \(a letter\)/,
    );
  });
  it.each([
    [["--set", "data.task=mmmlu-pro"], /data\.task: .*mmmlu.*global-mmlu.*mmlu-prox.*include.*mmlu.*own-rows/],
    [["--data", "li-lab/MMLU-ProX", "--languages", "tlh"], /--languages tlh: a language is written as/],
    [["--set", 'data.columns={"question":"q"}'], /data\.columns: the columns of mmmlu are known/],
    [["--set", 'data.trainFrom={"source":"sample"}'], /data\.trainFrom: an exploration trains nothing/],
  ])("refuses %j", async (flags, expected) => {
    const { code, error } = await mmmlu(["run", "eda", ...flags], { folder: root });
    expect({ code, error }).toEqual({ code: 2, error: expect.stringMatching(expected) });
  });
});

describe.skipIf(withoutShared)("real rows of MMLU", () => {
  it("have the keys and answers of MMMLU's, as its own set, and each subject's file is own rows", async () => {
    const names = readdirSync(shared("data", "mmlu_en", "test")).sort();
    const rows: Record<string, string | number | string[]>[] = [];
    for (const name of names) {
      const { rows: read } = await loadCorpus({ source: shared("data", "mmlu_en", "test", name), languages: ["en"] });
      const subject = name.replace("_test.csv", "");
      for (const { question, choices, answer } of read)
        rows.push({ question, subject, choices: [...choices], answer: lettersOf(4).indexOf(answer) });
    }
    await writeParquet(join(root, "english", "all", part), TYPES.mmlu, rows);
    execFileSync(process.execPath, [shared("data", "make-corpus.mjs"), join(root, "german"), "--languages", "DE_DE"], {
      stdio: "ignore",
    });
    const english = await loadCorpus({ source: join(root, "english"), task: "mmlu" });
    const german = await loadCorpus({ source: join(root, "german") });
    expect(english.rows.length).toBe(14_042);
    const told = ({ rows: all }: Corpus) => all.map((row) => `${questionOf(row)} ${row.answer}`).sort();
    expect(told(english)).toEqual(told(german));
  });
});
