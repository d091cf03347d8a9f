import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chooseShots, promptFormats, serveModel, workerEngine } from "../src/answer/index.js";
import { loadCorpus } from "../src/data/index.js";
import { mmmlu } from "./command.js";
import { LM_EVAL_LANGUAGES, writeLmEvalFiles } from "./lm-eval-files.js";

/** What lm-evaluation-harness 0.4.13 measured of the same files (reference/harness.py). */
interface Golden {
  readonly shots: Readonly<
    Record<
      string,
      {
        readonly rows: Readonly<Record<string, readonly [context: string, likelihoods: readonly number[]]>>;
        readonly groups: Readonly<Record<string, number>>;
      }
    >
  >;
}
const golden = JSON.parse(readFileSync(new URL("../reference/golden/lm-eval.json", import.meta.url), "utf8")) as Golden;

const folder = mkdtempSync(join(tmpdir(), "mmmlu-lm-eval-"));
const data = join(folder, "data");
beforeAll(() => writeLmEvalFiles(folder), 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Told {
  readonly id: string;
  readonly prediction: string;
  readonly logProbabilities: readonly number[];
}

/** Runs the preset, and gives what was measured of each row. */
async function run(
  out: string,
  settings: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ rows: Told[]; metrics: { groups: Record<string, { n: number; accuracy: number }>; shots?: unknown } }> {
  const given = ["run", "mmmlu-lm-eval", "--data", data, "--languages", LM_EVAL_LANGUAGES.join(",")];
  const set = settings.flatMap((setting) => ["--set", setting]);
  const { code, error } = await mmmlu([...given, ...set, "--out", join(folder, out)], { environment });
  expect({ code, error: code === 0 ? "" : error }).toEqual({ code: 0, error: "" });
  const lines = readFileSync(join(folder, out, "predictions.jsonl"), "utf8")
    .trim()
    .split("\n");
  return {
    rows: lines.map((line) => JSON.parse(line)),
    metrics: JSON.parse(readFileSync(join(folder, out, "metrics.json"), "utf8")),
  };
}

/** Holds rows against the harness's: the same letter, log-likelihoods to what was written of them. */
function holdAgainst(rows: readonly Told[], shots: string): void {
  for (const { id, prediction, logProbabilities } of rows) {
    const likelihoods = golden.shots[shots]!.rows[id]![1];
    const [first, second] = likelihoods.toSorted((a, b) => b - a) as [number, number];
    if (first - second > 1e-3) expect([id, prediction]).toEqual([id, "ABCD"[likelihoods.indexOf(first)]]);
    logProbabilities.forEach((value, index) => expect(value, id).toBeCloseTo(likelihoods[index]!, 4));
  }
}

describe("lm-evaluation-harness", () => {
  it.each([0, 5])("writes the very contexts that we write, with %i examples", async (count) => {
    const { rows } = await loadCorpus({ source: data, languages: LM_EVAL_LANGUAGES });
    const shots = chooseShots({ count, source: "first_n", language: "row", asked: rows, from: rows });
    const expected = golden.shots[count]!.rows;
    expect(Object.keys(expected).sort()).toEqual(rows.map(({ id }) => id).sort());
    const plain = { instruction: "english", systemMessage: null } as const;
    for (const row of rows) {
      const text = promptFormats.mmlu.write([row], shots.examplesOf([row]), plain) as string;
      expect([row.id, createHash("sha256").update(text).digest("hex").slice(0, 16)]).toEqual([
        row.id,
        expected[row.id]![0],
      ]);
    }
  });

  it.each(["0", "5"])("measures a model as we do here, with %s examples: letters, groups", async (shots) => {
    const { rows, metrics } = await run(`shots-${shots}`, [
      `answerer.model=local:${join(folder, "model")}`,
      `answerer.shots=${shots}`,
      ...(shots === "0" ? ["answerer.shotSource=null"] : []),
    ]);
    const { rows: expected, groups } = golden.shots[shots]!;
    expect(rows).toHaveLength(Object.keys(expected).length);
    holdAgainst(rows, shots);
    expect(Object.keys(groups).length).toBeGreaterThan(120);
    for (const [name, accuracy] of Object.entries(groups))
      expect(metrics.groups[name]!.accuracy).toBeCloseTo(accuracy, 6);
    if (shots === "5")
      expect(metrics.shots).toEqual({ examples: 684, askedExamples: 684, prompts: 796, promptsWithOwnAnswer: 0 });
  });

  it("and through our own server, one request a continuation", async () => {
    const engine = await workerEngine({ id: "tiny", source: join(folder, "model"), device: "cpu" });
    const server = await serveModel(engine, { port: 0 });
    try {
      const settings = ["answerer.model=tiny", "data.rowsPerLanguage=20"];
      const { rows } = await run("served", settings, { LMSTUDIO_ENDPOINT: server.url });
      expect(rows).toHaveLength(40);
      holdAgainst(rows, "5");
    } finally {
      await server.close();
      await engine.close();
    }
  });
});
