import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gemma2Prompt } from "../../src/answer/index.js";
import { openDevice } from "../../src/graph/index.js";
import { openModel } from "../../src/models/index.js";
import { mmmlu } from "../../src/tasks/index.js";
import { loadTokenizer } from "../../src/tokens/index.js";
import { englishRows } from "../train/examples.js";
import { measured } from "./child.js";

const KINDS = ["none", "fp4", "nf4"] as const;
type Kind = (typeof KINDS)[number];

/** What one side makes of a kind of weights. */
interface Side {
  /** SHA-256 of each linear layer's matrix as float32, as the codes stand for it; -0 is 0. */
  readonly weights: Record<string, string>;
  /** Log-probabilities of the letters behind each prompt. */
  readonly letters: number[][];
  /** Greedy tokens behind each prompt. */
  readonly tokens: readonly (readonly number[])[];
}

const NEW = 8;

/**
 * A model's 4-bit weights, the letters' log-probabilities and greedy tokens behind real prompts: ours against
 * transformers and bitsandbytes, and each kind of weights against float32, which tells what 4 bits do to the model.
 */
export async function bench(given: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: given,
    allowPositionals: true,
    options: {
      python: { type: "string" },
      prompts: { type: "string", default: "40" },
      threads: { type: "string", default: "2" },
    },
  });
  const [source] = positionals;
  if (source === undefined || values.python === undefined) {
    console.error("usage: npm run bench:real -- quantized MODEL --python PYTHON [--prompts 40]");
    process.exit(2);
  }
  const device = await openDevice("cpu", { threads: Number(values.threads) });
  const ours: Partial<Record<Kind, Side>> = {};
  let [prompts, letterIds]: [(readonly number[])[], number[]] = [[], []];
  for (const kind of KINDS) {
    const { model, folder } = await openModel(source, device, { quantization: { kind } });
    if (prompts.length === 0) {
      const tokenizer = await loadTokenizer({ source: folder });
      // Every so many rows, so that many subjects are there.
      const rows = englishRows().filter((_, index) => index % 337 === 5);
      const texts = rows.slice(0, Number(values.prompts)).map(gemma2Prompt);
      prompts = await tokenizer.encodeAll(texts, true);
      letterIds = await Promise.all(mmmlu.letters.map(async (one) => (await tokenizer.encode(` ${one}`, false))[0]!));
    }
    const weights: Record<string, string> = {};
    for (const name of model.weights.names) {
      const stored = model.weights.storedWeight(name);
      if (stored && kind !== "none") weights[name] = hash((await stored.dense()).map((value) => value + 0));
    }
    const replies = await model.generate(prompts, { maximumNewTokens: NEW });
    ours[kind] = {
      weights,
      letters: await model.letterLogProbabilities(prompts, letterIds),
      tokens: replies.map(({ tokens }) => tokens),
    };
    await model.dispose();
  }
  await device.close();
  const scratch = mkdtempSync(join(tmpdir(), "bench-quantized-"));
  try {
    const work = join(scratch, "work.json");
    const threads = Number(values.threads);
    writeFileSync(
      work,
      JSON.stringify({ folder: resolve(source), kinds: KINDS, prompts, letterIds, new: NEW, threads }),
    );
    const script = fileURLToPath(new URL("../python/real_quantized.py", import.meta.url));
    const run = await measured(values.python, [script, work], true);
    if (run.code !== 0) throw new Error(`${script} ended with ${run.code}`);
    const theirs = JSON.parse(run.out.trim().split("\n").at(-1)!) as Record<Kind, Side> & { versions: object };
    console.log(
      Object.entries(theirs.versions)
        .map((pair) => pair.join(" "))
        .join(", "),
    );
    for (const kind of KINDS) {
      const [own, other] = [ours[kind]!, theirs[kind]];
      const names = Object.keys(other.weights);
      const same = names.filter((name) => own.weights[name] === other.weights[name]).length;
      if (kind !== "none") console.log(`${kind}: ${same} of ${names.length} matrices the same to the bit`);
      tell(`${kind}, ours against theirs`, own, other);
    }
    for (const kind of ["fp4", "nf4"] as const) {
      tell(`ours, ${kind} against float32`, ours[kind]!, ours.none!);
      tell(`theirs, ${kind} against float32`, theirs[kind], theirs.none);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const hash = (values: Float32Array): string =>
  createHash("sha256")
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest("hex");

function tell(what: string, one: Side, other: Side): void {
  const differences = one.letters.flatMap((letters, row) =>
    letters.map((value, index) => Math.abs(value - other.letters[row]![index]!)),
  );
  const best = (letters: readonly number[]): number => letters.indexOf(Math.max(...letters));
  const count = (same: (row: number) => boolean): number => one.letters.filter((_, row) => same(row)).length;
  const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
  console.log(
    `${what}: letters' log-probabilities differ by ${mean.toExponential(1)} on average, at most ` +
      `${Math.max(...differences).toExponential(1)}; likeliest letter the same on ` +
      `${count((row) => best(one.letters[row]!) === best(other.letters[row]!))}, first token on ` +
      `${count((row) => one.tokens[row]![0] === other.tokens[row]![0])}, all ${NEW} tokens on ` +
      `${count((row) => one.tokens[row]!.join() === other.tokens[row]!.join())} of ${one.letters.length} prompts`,
  );
}
