import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { mmmlu } from "./command.js";

const folder = mkdtempSync(join(tmpdir(), "mmmlu-protocols-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (out: string, preset: string, ...settings: string[]) =>
  mmmlu([
    ...["run", preset, "--sample", "--model", "baseline:longest", "--languages", "DE_DE,FR_FR"],
    ...["data.rowsPerLanguage=50", ...settings].flatMap((setting) => ["--set", setting]),
    ...["--out", join(folder, out)],
  ]);
const json = (...names: string[]): any => JSON.parse(readFileSync(join(folder, ...names), "utf8"));
const lines = (...names: string[]): any[] =>
  readFileSync(join(folder, ...names), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
const ORDERS = ["answerer.permutations=4", "answerer.repeats=2"];

describe("rows asked under several orders, and again", () => {
  it("have a stage each, by the rows' own letters, and a stopped run goes on by row, order and repeat", async () => {
    const whole = await run("orders", "mmmlu-simple-evals", ...ORDERS);
    expect(whole).toMatchObject({ code: 0 });
    expect(whole.out).toMatch(/over 4 orders of the options .* against the rows' own order; .* alike under all/);
    expect(whole.out).toMatch(/over 2 repeats .* agreement 100\.0 %/);
    expect(whole.out).toMatch(/mean of the languages/);
    const predictions = lines("orders", "predictions.jsonl");
    expect(predictions).toHaveLength(800);
    const stages = [...new Set(predictions.map(({ stage }) => stage))];
    expect(stages).toHaveLength(8);
    expect(stages).toContain("test.order-3.repeat-1");
    // The longest option has another letter under another order; by the row's own it is the same, but for equals.
    const [first] = predictions.filter(({ stage }) => stage === "test");
    const others = predictions.filter(({ id }) => id === first.id);
    expect(new Set(others.map(({ answer }) => answer)).size).toBe(1);
    expect(new Set(others.map(({ reply }) => reply)).size).toBeGreaterThan(1);
    const { n, orders, repeats, groups, meanOfLanguages } = json("orders", "metrics.json");
    expect([n, orders.orders, repeats.repeats]).toEqual([100, 4, 2]);
    expect(groups["mmlu_DE-DE"].n).toBe(50);
    expect(meanOfLanguages).toBeCloseTo((groups["mmlu_DE-DE"].accuracy + groups["mmlu_FR-FR"].accuracy) / 2, 12);
    expect(json("orders", "manifest.json").protocol).toMatchObject({
      name: "simple-evals",
      permutations: 4,
      repeats: 2,
      shots: 0,
      answerExtraction: "simple-evals",
    });
    // As a crash leaves it: the second order begun.
    const path = join(folder, "orders", "replies.jsonl");
    const kept = readFileSync(path, "utf8").split("\n").slice(0, 130);
    writeFileSync(path, `${kept.join("\n")}\n`);
    expect(await run("orders", "mmmlu-simple-evals", ...ORDERS)).toMatchObject({ code: 0 });
    expect(json("orders", "metrics.json")).toMatchObject({ asked: 670, cached: 130, orders, repeats });
    expect(lines("orders", "predictions.jsonl")).toEqual(predictions);
    const scored = await mmmlu(["score", join(folder, "orders"), "--answer-extraction", "simple-evals", "--json"]);
    expect(Object.keys(JSON.parse(scored.out))).toEqual(expect.arrayContaining(stages));
  });

  it("are compared by their plain asking, and runs that asked otherwise are told apart", async () => {
    expect(await run("plain", "mmmlu-simple-evals")).toMatchObject({ code: 0 });
    const alike = await mmmlu([
      ...["compare", join(folder, "orders"), join(folder, "plain")],
      ...["--out", join(folder, "alike.html")],
    ]);
    expect(alike).toMatchObject({ code: 0, out: expect.stringMatching(/^100 rows/) });
    const shots = ["answerer.shots=2", "answerer.shotSource=first_n"];
    const settings = ["answerer.protocol=published", "answerExtraction=robust", ...shots];
    expect(await run("shots", "mmmlu-simple-evals", ...settings)).toMatchObject({ code: 0 });
    expect(json("shots", "metrics.json").shots).toMatchObject({ prompts: 100, promptsWithOwnAnswer: 0 });
    expect(json("shots", "manifest.json").notes.join()).toMatch(/2 examples in front of each question \(first_n/);
    const apart = await mmmlu([
      ...["compare", join(folder, "plain"), join(folder, "shots")],
      ...["--out", join(folder, "apart.html")],
    ]);
    expect(apart.out).toMatch(/^These runs did not ask alike/);
    expect(apart.out).toMatch(/name: simple-evals, and published; .*shots: 0, and 2/);
    expect(readFileSync(join(folder, "apart.html"), "utf8")).toContain("These runs did not ask alike");
  });
});

describe("what does not go together", () => {
  it.each([
    [
      ["answerer.protocol=lm-eval"],
      /lm-eval goes with answerer\.prompt=mmlu, answerExtraction=letter: .*mmmlu-lm-eval/,
    ],
    [["answerExtraction=robust"], /simple-evals goes with answerExtraction=simple-evals/],
    [["answerer.questionsPerRequest=2"], /the simple-evals prompt asks one question/],
    [["answerer.shotSource=first_n"], /answerer\.shots: without examples/],
    [["answerer.shots=3"], /abstract_algebra in DE_DE has 0 rows for examples/],
    [
      ["answerer.protocol=published", "answerer.template.user={question}"],
      /answerer\.template\.user: it shows no options/,
    ],
  ])("%j is refused by its key", async (settings, message) => {
    const { code, error } = await run("refused", "mmmlu-simple-evals", ...settings);
    expect([code, error]).toEqual([expect.any(Number), expect.stringMatching(message)]);
    expect(code).toBeGreaterThan(0);
  });
});
