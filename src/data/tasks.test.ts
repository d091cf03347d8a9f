import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HubImitation, hubImitation } from "../../test/hub-imitation/server.js";
import {
  globalMmluRows,
  includeRows,
  mmluProxRows,
  mmluRows,
  mmmluFile,
  questions,
  type Record_,
  TYPES,
  writeParquet,
} from "../../test/task-files.js";
import { partsOfId, questionOf, tasks } from "../tasks/index.js";
import { loadCorpus } from "./corpus.js";

const root = mkdtempSync(join(tmpdir(), "tasks-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const all = questions(["anatomy", "abstract_algebra"], 12);
const part = "test-00000-of-00001.parquet";

/** A folder of a task with the rows of one language. */
let made = 0;
async function folderOf(task: keyof typeof TYPES, language: string, rows: readonly Record_[], file = part) {
  const folder = join(root, `${task}-${made++}`);
  await writeParquet(join(folder, language, file), TYPES[task], rows);
  return folder;
}

describe("the tasks", () => {
  it("have names, languages and prefixes of their own", () => {
    for (const of of ["name", "idPrefix"] as const)
      expect(new Set(tasks.map((task) => task[of])).size).toBe(tasks.length);
    expect(Object.fromEntries(tasks.map(({ name, languages }) => [name, Object.keys(languages).length]))).toEqual({
      mmmlu: 14,
      "global-mmlu": 42,
      "mmlu-prox": 29,
      include: 44,
      mmlu: 1,
      "own-rows": 0,
    });
  });
  it("that there is none of is told", async () => {
    await expect(loadCorpus({ source: root, task: "mmmlu-2" })).rejects.toMatchObject({
      message: 'there is no task "mmmlu-2"',
      hint: expect.stringContaining("mmmlu, global-mmlu, mmlu-prox, include, mmlu, own-rows"),
      exitCode: 2,
    });
  });
});

describe("Global-MMLU", () => {
  it("has the keys of the questions that its rows translate, and its own categories", async () => {
    const source = await folderOf("global-mmlu", "de", globalMmluRows("de", [...all].reverse()));
    const { rows, languages, task, columns, nulls } = await loadCorpus({ source, task: "global-mmlu" });
    expect(task.name).toBe("global-mmlu");
    expect(languages).toEqual(["de"]);
    expect(rows.length).toBe(24);
    expect(rows[0]).toMatchObject({
      id: "global-mmlu:de/abstract_algebra/11",
      language: "de",
      category: "STEM",
      choices: [expect.any(String), expect.any(String), expect.any(String), expect.any(String)],
      answer: "ABCD"[all.at(-1)!.answer],
    });
    expect(partsOfId(rows[0]!.id)).toEqual({ language: "de", subject: "abstract_algebra", index: 11 });
    expect(questionOf(rows[0]!)).toBe("abstract_algebra/11");
    expect(columns).toContain("option_d");
    expect(Object.values(nulls)).toEqual(columns.map(() => 0));
    // As MMMLU codes its languages.
    expect((await loadCorpus({ source, task: "global-mmlu", languages: ["DE_DE"] })).languages).toEqual(["de"]);
    await expect(loadCorpus({ source, task: "global-mmlu", languages: ["FR_FR"] })).rejects.toThrow(
      /no language FR_FR \(no FR_FR\/test/,
    );
  });
  it("counts and tells empty options, which are kept", async () => {
    const rows = globalMmluRows("de", all).map((row, i) => (i < 3 ? { ...row, option_c: i ? null : "" } : row));
    const said: string[] = [];
    const corpus = await loadCorpus({
      source: await folderOf("global-mmlu", "de", rows),
      task: "global-mmlu",
      progress: { begin() {}, update() {}, say() {}, end: (note) => void said.push(note ?? "") },
    });
    expect(corpus.nulls.option_c).toBe(3);
    expect(corpus.rows[1]!.choices[2]).toBe("");
    expect(said[0]).toContain("empty cells are kept (option_c: 3)");
  });
  it.each([
    ["an answer that is none", { answer: "E" }, /row 2: the answer is "E", expected A, B, C or D/],
    ["a small letter", { answer: "a" }, /row 2: the answer is "a"/],
    ["an answer that is null", { answer: null }, /row 2: the answer is empty, expected A/],
    [
      "an id of another subject",
      { sample_id: "virology/test/3" },
      /row 2: the index \(sample_id\) is "virology\/test\/3"/,
    ],
    ["an id of another split", { sample_id: "anatomy/dev/3" }, /row 2: the index \(sample_id\)/],
    [
      "an id twice",
      { sample_id: "anatomy/test/0" },
      /row 2: the row global-mmlu:de\/anatomy\/0 is there twice, first on row 1/,
    ],
    ["no subject", { subject: null }, /row 2: the subject is empty/],
  ])("refuses %s", async (_name, change, expected) => {
    const rows = globalMmluRows("de", all).map((row, i) => (i === 1 ? { ...row, ...change } : row));
    const source = await folderOf("global-mmlu", "de", rows);
    await expect(loadCorpus({ source, task: "global-mmlu" })).rejects.toThrow(expected);
  });
  it("says what is wrong with a file", async () => {
    const folder = join(root, "broken");
    mkdirSync(join(folder, "de"), { recursive: true });
    writeFileSync(join(folder, "de", part), "PAR1 and no more");
    await expect(loadCorpus({ source: folder, task: "global-mmlu" })).rejects.toThrow(/cannot be read as Parquet/);
    writeFileSync(join(folder, "de", part), "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n");
    await expect(loadCorpus({ source: folder, task: "global-mmlu" })).rejects.toThrow(/is a pointer of Git LFS/);
    await writeParquet(join(folder, "de", part), { question: "VARCHAR" }, [{ question: "?" }]);
    await expect(loadCorpus({ source: folder, task: "global-mmlu" })).rejects.toThrow(
      /the column "sample_id", "option_a"/,
    );
    const wrong = { ...TYPES["global-mmlu"], question: "STRUCT(a VARCHAR)" };
    await writeParquet(
      join(folder, "de", part),
      wrong,
      globalMmluRows("de", all).map((row) => ({ ...row, question: null })),
    );
    await expect(loadCorpus({ source: folder, task: "global-mmlu" })).rejects.toThrow(/"question" holds STRUCT/);
    await expect(loadCorpus({ source: root, task: "global-mmlu" })).rejects.toThrow(/holds no XX_YY\/test-00000/);
  });
  it.each(["copy[1]", "a*b", "a\\*b", "back\\[1]", "q?", "it's", "Answer=B", "~"])(
    "a folder's name is a name: %s",
    async (name) => {
      const source = join(root, "names", name);
      const plain = await folderOf("global-mmlu", "de", globalMmluRows("de", all));
      mkdirSync(join(source, "de"), { recursive: true });
      writeFileSync(join(source, "de", part), readFileSync(join(plain, "de", part)));
      expect((await loadCorpus({ source, task: "global-mmlu" })).rows.length).toBe(24);
    },
  );
});

describe("MMLU-ProX", () => {
  const wide = questions(["math", "law"], 10, 10);
  it("has rows of three to ten options, and keys that its languages share", async () => {
    const source = await folderOf("mmlu-prox", "en", mmluProxRows("en", wide));
    await writeParquet(join(source, "de", part), TYPES["mmlu-prox"], mmluProxRows("de", wide));
    const { rows } = await loadCorpus({
      source,
      task: "mmlu-prox",
      languages: ["EN", "de"].map((one) => one.toLowerCase()),
    });
    expect(rows.length).toBe(40);
    expect(new Set(rows.map((row) => row.choices.length)).size).toBeGreaterThan(4);
    for (const row of rows) expect(row.choices.every((choice) => choice !== "")).toBe(true);
    expect(Math.max(...rows.map((row) => row.choices.length))).toBe(10);
    expect(rows[1]).toMatchObject({ id: "mmlu-prox:en/math/1", category: "math", answer: "D" });
    expect(new Set(rows.map(questionOf)).size).toBe(20);
    expect(questionOf(rows[21]!)).toBe(questionOf(rows[1]!));
    expect(questionOf(rows[1]!)).toBe("mmlu-prox/math/1");
  });
  it("refuses an answer that the row has no option for, and a row of one option", async () => {
    const row = mmluProxRows("en", wide)[0]!;
    const load = async (change: Record_) =>
      loadCorpus({ source: await folderOf("mmlu-prox", "en", [{ ...row, ...change }]), task: "mmlu-prox" });
    await expect(load({ answer: "H" })).rejects.toThrow(/the answer is "H", expected A, B or C/);
    await expect(load({ option_1: null, option_2: "" })).rejects.toThrow(/there are 1 options .*, expected 2 to 10/);
  });
});

describe("INCLUDE", () => {
  it("has languages by their names, and questions of their own in each", async () => {
    const source = await folderOf("include", "German", includeRows("German", all));
    await writeParquet(join(source, "North Macedonian", part), TYPES.include, includeRows("North Macedonian", all));
    const { rows, languages } = await loadCorpus({ source, task: "include" });
    expect(languages).toEqual(["German", "North Macedonian"]);
    expect(rows[13]).toMatchObject({
      id: "include:German/abstract_algebra/1",
      index: 1,
      category: "STEM",
      answer: "ABCD"[all[13]!.answer],
    });
    expect(new Set(rows.map(questionOf)).size).toBe(48);
    expect((await loadCorpus({ source, task: "include", languages: ["mk", "DE_DE"] })).languages).toEqual([
      "North Macedonian",
      "German",
    ]);
  });
  it("refuses a number without an option", async () => {
    const rows = includeRows("German", all).map((row) => ({ ...row, answer: 4 }));
    await expect(loadCorpus({ source: await folderOf("include", "German", rows), task: "include" })).rejects.toThrow(
      /row 1: the answer is "4", expected a number from 0 to 3/,
    );
  });
});

describe("MMLU", () => {
  it("numbers its rows within each subject, as MMMLU does", async () => {
    const source = await folderOf("mmlu", "all", mmluRows(all));
    const { rows } = await loadCorpus({ source, task: "mmlu" });
    const folder = join(root, "mmmlu");
    mkdirSync(join(folder, "test"), { recursive: true });
    writeFileSync(join(folder, "test", "mmlu_FR-FR.csv"), mmmluFile("fr", all));
    const french = await loadCorpus({ source: folder });
    expect(rows.map(questionOf)).toEqual(french.rows.map(questionOf));
    expect(rows.map((row) => row.answer)).toEqual(french.rows.map((row) => row.answer));
    expect(rows[0]!.id).toBe("mmlu:en/anatomy/0");
    expect(french.rows[0]!.id).toBe("FR_FR/anatomy/0");
  });
  it("has four options in a list", async () => {
    const load = async (choices: (string | null)[]) =>
      loadCorpus({ source: await folderOf("mmlu", "all", [{ ...mmluRows(all)[0]!, choices }]), task: "mmlu" });
    await expect(load(["1", "2", "3"])).rejects.toThrow(/there are 3 options \(choices\), expected 4/);
    expect((await load(["1", "2", "3", null])).nulls.choices).toBe(1);
  });
});

describe("the hub", () => {
  let hub: HubImitation;
  const bytes = (file: string): Buffer => readFileSync(file);
  beforeAll(async () => {
    const half = await folderOf("global-mmlu", "de", globalMmluRows("de", all.slice(0, 12)));
    const rest = await folderOf("global-mmlu", "de", globalMmluRows("de", all.slice(12)));
    const french = await folderOf("global-mmlu", "fr", globalMmluRows("fr", all));
    hub = await hubImitation([
      {
        type: "dataset",
        name: "CohereLabs/Global-MMLU",
        commit: "c".repeat(40),
        branches: ["main"],
        files: {
          "README.md": "card",
          "fr/test-00000-of-00001.parquet": bytes(join(french, "fr", part)),
          "de/test-00000-of-00002.parquet": bytes(join(half, "de", part)),
          "de/test-00001-of-00002.parquet": bytes(join(rest, "de", part)),
          "de/dev-00000-of-00001.parquet": "no rows of ours",
        },
      },
    ]);
  });
  afterAll(() => hub.close());
  const load = (languages: string[], more: { offline?: boolean } = {}) =>
    loadCorpus({
      source: "CohereLabs/Global-MMLU",
      languages,
      environment: { HF_ENDPOINT: hub.url, HF_HOME: join(root, "home") },
      ...more,
    });

  it("tells the task by its name; a language's file may have parts, also without a network", async () => {
    const corpus = await load(["fr", "DE_DE"]);
    expect(corpus).toMatchObject({ kind: "hub", revision: "c".repeat(40), task: { name: "global-mmlu" } });
    expect(corpus.files.map(({ language, path, rows }) => [language, path, rows])).toEqual([
      ["fr", part, 24],
      ["de", "test-00000-of-00002.parquet", 12],
      ["de", "test-00001-of-00002.parquet", 12],
    ]);
    const asked = hub.requests.length;
    expect((await load(["fr", "de"], { offline: true })).rows).toEqual(corpus.rows);
    expect(hub.requests.length).toBe(asked);
  });
  it("says what there is where a language is not there", async () => {
    await expect(load(["am"])).rejects.toMatchObject({
      message: expect.stringContaining("has no file am/test-*.parquet at cccccccccccc"),
      hint: expect.stringContaining("fr/test-00000-of-00001.parquet"),
    });
    await expect(load(["am"], { offline: true })).rejects.toThrow(/--offline forbids/);
    await expect(load(["tlh"])).rejects.toThrow(/Global-MMLU has no language tlh/);
  });
});
