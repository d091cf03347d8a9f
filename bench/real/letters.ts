import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gemma2Prompt } from "../../src/answer/index.js";
import { loadCorpus } from "../../src/data/index.js";
import { openDevice } from "../../src/graph/index.js";
import { openModel } from "../../src/models/index.js";
import { Random } from "../../src/models/random.js";
import { percent } from "../../src/report/index.js";
import { mmmlu } from "../../src/tasks/index.js";
import { loadTokenizer } from "../../src/tokens/index.js";
import { gibibytes, measured } from "./child.js";

const LETTERS = mmmlu.letters;
/** Differences of log-probabilities that two roundings of float32 explain: nearer letters are a tie. */
const TIE = 1e-3;
const BATCH = 8;

interface Theirs {
  readonly logProbabilities: number[][];
  readonly seconds: number;
  readonly loadSeconds: number;
  readonly versions: Record<string, string>;
}

/**
 * The likeliest letter of rows drawn from a set in MMMLU's layout, by its log-probability behind the prompt of
 * gemma-2-2b-finetune: our engine in float32 against transformers in float32, on the same weights and the same batches.
 */
export async function bench(given: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: given,
    allowPositionals: true,
    options: {
      python: { type: "string" },
      rows: { type: "string", default: "2000" },
      longest: { type: "string", default: "200" },
      threads: { type: "string", default: "2" },
    },
  });
  const [source, data] = positionals;
  if (source === undefined || data === undefined || values.python === undefined) {
    console.error("usage: npm run bench:real -- letters MODEL DATA --python PYTHON [--rows 2000] [--longest 200]");
    process.exit(2);
  }
  const device = await openDevice("cpu", { threads: Number(values.threads) });
  const began = performance.now();
  const { model, folder } = await openModel(source, device);
  const loadSeconds = (performance.now() - began) / 1000;
  const tokenizer = await loadTokenizer({ source: folder });
  const { rows: all } = await loadCorpus({ source: data });
  const random = new Random(42);
  const [rows, prompts]: [(typeof all)[number][], number[][]] = [[], []];
  const left = [...all];
  while (rows.length < Number(values.rows) && left.length > 0) {
    const [row] = left.splice(random.below(left.length), 1);
    const ids = await tokenizer.encode(gemma2Prompt(row!), true);
    if (ids.length > Number(values.longest)) continue;
    rows.push(row!);
    prompts.push(ids);
  }
  const letterIds: number[] = [];
  for (const letter of LETTERS) letterIds.push(...(await tokenizer.encode(` ${letter}`, false)));

  // Compiles the graphs.
  await model.letterLogProbabilities(prompts.slice(0, BATCH), letterIds);
  const together = BATCH * model.batchesTogether;
  const start = performance.now();
  const ours: number[][] = [];
  for (let at = 0; at < prompts.length; at += together)
    ours.push(...(await model.letterLogProbabilities(prompts.slice(at, at + together), letterIds)));
  const seconds = (performance.now() - start) / 1000;
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  await model.dispose();
  await device.close();

  const scratch = mkdtempSync(join(tmpdir(), "bench-letters-"));
  try {
    const work = join(scratch, "work.json");
    writeFileSync(
      work,
      JSON.stringify({
        folder: resolve(source),
        prompts,
        letterIds,
        batchSize: BATCH,
        threads: Number(values.threads),
      }),
    );
    const script = fileURLToPath(new URL("../python/real_letters.py", import.meta.url));
    const run = await measured(values.python, [script, work], true);
    if (run.code !== 0) throw new Error(`${script} ended with ${run.code}`);
    const theirs = JSON.parse(run.out.trim().split("\n").at(-1)!) as Theirs;
    console.log(
      Object.entries(theirs.versions)
        .map((pair) => pair.join(" "))
        .join(", "),
    );
    const rate = (taken: number): string => `${(rows.length / taken).toFixed(1)} rows/s (${taken.toFixed(1)} s)`;
    console.log(`ours: ${rate(seconds)}, loading ${loadSeconds.toFixed(1)} s, peak memory ${gibibytes(peakBytes)}`);
    console.log(
      `transformers: ${rate(theirs.seconds)}, loading ${theirs.loadSeconds.toFixed(1)} s, peak memory ` +
        `${gibibytes(run.peakBytes)}`,
    );
    const best = (letters: readonly number[]): number => letters.indexOf(Math.max(...letters));
    const right = (side: readonly number[][]): number =>
      side.filter((letters, row) => LETTERS[best(letters)] === rows[row]!.answer).length;
    for (const [name, side] of [
      ["ours", ours],
      ["transformers", theirs.logProbabilities],
    ] as const)
      console.log(`${name}: right on ${right(side)} of ${rows.length} rows (${percent(right(side) / rows.length)})`);
    let [largest, other, ties] = [0, 0, 0];
    for (const [row, letters] of ours.entries()) {
      const them = theirs.logProbabilities[row]!;
      for (const [index, value] of letters.entries()) largest = Math.max(largest, Math.abs(value - them[index]!));
      if (best(letters) === best(them)) continue;
      const sorted = [...them].sort((a, b) => b - a);
      const margin = sorted[0]! - sorted[1]!;
      if (margin < TIE) ties++;
      else other++;
      console.log(
        `${rows[row]!.id}: ours ${LETTERS[best(letters)]}, transformers ${LETTERS[best(them)]}, its two likeliest ` +
          `letters ${margin.toExponential(1)} apart${margin < TIE ? ": a near tie" : ""}`,
      );
    }
    console.log(
      `the same letter on ${rows.length - other - ties} of ${rows.length} rows; ${ties} near ties (under ${TIE}), ` +
        `${other} others; largest difference of a letter's log-probability ${largest.toExponential(1)}`,
    );
    process.exitCode = other > 0 ? 1 : 0;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
