import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { flanT5Prompt } from "../../src/answer/index.js";
import { type Example, type T5Config, tinyT5Config } from "../../src/models/index.js";
import { loadTokenizer } from "../../src/tokens/index.js";
import type { BenchOptions } from "../train.js";
import { drawExamples, SHARED } from "./examples.js";
import type { StepMeasured, WorkOfRun } from "./t5.js";

/** google/flan-t5-base's shape: 248 million parameters. */
export const FLAN_T5_BASE: T5Config = tinyT5Config({
  vocabSize: 32_128,
  dModel: 768,
  dKv: 64,
  dFf: 2048,
  numLayers: 12,
  numDecoderLayers: 12,
  numHeads: 12,
});
const BATCH = 8;
const WARM_UP = 2;

interface OurRun {
  readonly steps: readonly StepMeasured[];
  readonly peakBytes: number;
  /** What is told before training: with every row as long as the longest. */
  readonly needBytes: number;
  readonly rawGflops: number;
  readonly operations?: Readonly<Record<string, number>>;
}

interface PythonRun {
  readonly steps: readonly {
    readonly seconds: number;
    readonly paddedTokens: number;
    readonly rows: readonly string[];
  }[];
  readonly peakBytes: number;
  readonly versions: Readonly<Record<string, string>>;
}

/** What is printed with `--json`. */
export type T5Bench = ReturnType<typeof summary> & {
  readonly model: string;
  readonly cores: number;
  readonly batch: number;
  readonly steps: number;
  readonly operations?: OurRun["operations"];
  readonly python?: ReturnType<typeof pythonSummary>;
  /** The same rows, those of like lengths together. */
  readonly grouped?: ReturnType<typeof pythonSummary>;
};

export async function bench({ steps, rounds, python, ...options }: BenchOptions): Promise<void> {
  const { further, length, profile, json } = options;
  const tokenizer = await loadTokenizer({ source: join(SHARED, "tokenizers", "t5") });
  const drawn = await drawExamples(steps * BATCH, tokenizer, flanT5Prompt, 256);
  const examples = length === undefined ? drawn : ofLength(drawn, length);
  const folder = mkdtempSync(join(tmpdir(), "bench-train-"));
  const ours: OurRun[] = [];
  const theirs: PythonRun[] = [];
  const grouped: PythonRun[] = [];
  let operations: OurRun["operations"];
  try {
    const work = join(folder, "work.json");
    writeFileSync(work, JSON.stringify({ config: FLAN_T5_BASE, examples, batchSize: BATCH } satisfies WorkOfRun));
    const here = fileURLToPath(new URL(".", import.meta.url));
    const run = <T>(program: string, given: string[]): T => {
      const printed = execFileSync(program, given, {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
        maxBuffer: 1 << 28,
      });
      return JSON.parse(printed.trim().split("\n").at(-1)!) as T;
    };
    for (let round = 0; round < rounds; round++) {
      ours.push(run(process.execPath, ["--import", "tsx", join(here, "t5.ts"), work]));
      if (python) theirs.push(run(python, [resolve(here, "../python/train_t5.py"), work]));
      if (python && further) grouped.push(run(python, [resolve(here, "../python/train_t5.py"), work, "grouped"]));
    }
    requireSameRows(ours, theirs, grouped);
    // In a run of its own, since profiling takes time.
    if (profile)
      ({ operations } = run<OurRun>(process.execPath, ["--import", "tsx", join(here, "t5.ts"), work, "profile"]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const result = {
    model: "flan-t5-base",
    cores: availableParallelism(),
    batch: BATCH,
    steps,
    ...summary(ours, examples),
    operations,
    ...(theirs.length ? { python: pythonSummary(theirs) } : {}),
    ...(grouped.length ? { grouped: pythonSummary(grouped) } : {}),
  } satisfies T5Bench;
  if (json) console.log(JSON.stringify(result));
  else print(result);
}

/** @throws where both sides did not train on the same rows in each step; those of like lengths in any order */
function requireSameRows(ours: readonly OurRun[], theirs: readonly PythonRun[], grouped: readonly PythonRun[]): void {
  type Steps = { readonly steps: readonly { readonly rows: readonly string[] }[] };
  const rowsOf = ({ steps }: Steps): string => JSON.stringify(steps.map(({ rows }) => rows));
  const inAnyOrder = ({ steps }: Steps): string => JSON.stringify(steps.flatMap(({ rows }) => rows).sort());
  const [first] = ours as [OurRun];
  if ([...ours, ...theirs].some((run) => rowsOf(run) !== rowsOf(first)))
    throw new Error("the sides trained on other rows, or in another order");
  if (grouped.some((run) => inAnyOrder(run) !== inAnyOrder(first)))
    throw new Error("with like lengths together Python trained on other rows");
}

/** Prompts of just so many tokens, made of the drawn ones' tokens one after another. */
function ofLength(examples: readonly Example[], length: number): Example[] {
  const all = examples.flatMap(({ input }) => input);
  return examples.map((one, at) => ({
    ...one,
    input: Array.from({ length }, (_, token) => all[(at * length + token) % all.length]!),
  }));
}

/** What the counted steps of all rounds come to. */
function summary(runs: readonly OurRun[], examples: readonly Example[]) {
  const lengths = new Map(examples.map(({ id, input }) => [id, input.length]));
  const counted = runs.flatMap(({ steps }) => steps.slice(WARM_UP));
  const seconds = sum(counted.map((step) => step.seconds));
  const tokens = sum(counted.flatMap(({ rows }) => rows.map((id) => lengths.get(id)!)));
  const needed = sum(
    counted.map(({ rows }) =>
      stepFlops(
        rows.map((id) => lengths.get(id)!),
        false,
      ),
    ),
  );
  const done = sum(
    counted.map(({ rows }) =>
      stepFlops(
        rows.map((id) => lengths.get(id)!),
        true,
      ),
    ),
  );
  const raw = Math.max(...runs.map(({ rawGflops }) => rawGflops));
  return {
    rowsPerSecond: (counted.length * BATCH) / seconds,
    tokensPerStep: tokens / counted.length,
    stepSeconds: seconds / counted.length,
    gradientSeconds: sum(counted.map((step) => step.gradientSeconds)) / counted.length,
    optimizerSeconds: sum(counted.map((step) => step.seconds - step.gradientSeconds)) / counted.length,
    /** Products that the model's definition asks for, padding not counted. */
    effectiveGflops: needed / seconds / 1e9,
    /** Products really made: fewer, because cross-attention does not make keys and values of every token. */
    executedGflops: done / seconds / 1e9,
    rawGflops: raw,
    shareOfRaw: needed / seconds / 1e9 / raw,
    shareOfRawExecuted: done / seconds / 1e9 / raw,
    shareOfRawWithoutOptimizer: needed / sum(counted.map((step) => step.gradientSeconds)) / 1e9 / raw,
    peakGiB: Math.max(...runs.map(({ peakBytes }) => peakBytes)) / 2 ** 30,
    needGiB: runs[0]!.needBytes / 2 ** 30,
  };
}

function pythonSummary(runs: readonly PythonRun[]) {
  const counted = runs.flatMap(({ steps }) => steps.slice(WARM_UP));
  const seconds = sum(counted.map((step) => step.seconds));
  return {
    rowsPerSecond: (counted.length * BATCH) / seconds,
    stepSeconds: seconds / counted.length,
    paddedTokensPerStep: sum(counted.map((step) => step.paddedTokens)) / counted.length,
    peakGiB: Math.max(...runs.map(({ peakBytes }) => peakBytes)) / 2 ** 30,
    versions: runs[0]!.versions,
  };
}

/**
 * Floating-point operations of the matrix products of a step: forward, and twice that backward. Attention products are
 * counted at the rows' own lengths.
 * @param executed with cross-attention as it is done for one target token, instead of keys and values of every token
 */
function stepFlops(lengths: readonly number[], executed: boolean): number {
  const {
    dModel: width,
    dKv: headWidth,
    numHeads: heads,
    dFf: feedForwardWidth,
    numLayers: encoderLayers,
    numDecoderLayers: decoderLayers,
    vocabSize,
  } = FLAN_T5_BASE;
  const inner = heads * headWidth;
  const tokens = sum(lengths);
  const rows = lengths.length;
  const encoder =
    tokens * (4 * width * inner + 3 * width * feedForwardWidth) + 2 * inner * sum(lengths.map((length) => length ** 2));
  const decoderToken = 6 * width * inner + 3 * width * feedForwardWidth;
  const cross = executed
    ? rows * 2 * inner * width + 2 * heads * width * tokens
    : tokens * 2 * width * inner + 2 * inner * tokens;
  return 3 * 2 * (encoderLayers * encoder + decoderLayers * (rows * decoderToken + cross) + rows * width * vocabSize);
}

function print(result: T5Bench): void {
  const line = (name: string, value: string): void => console.log(`${name.padEnd(34)} ${value}`);
  const number = (value: number, digits = 2): string => value.toFixed(digits);
  line("model", `${result.model}, batches of ${result.batch}, ${result.cores} cores`);
  line("rows a second", number(result.rowsPerSecond));
  line(
    "seconds a step",
    `${number(result.stepSeconds)} (gradients ${number(result.gradientSeconds)}, optimizer ` +
      `${number(result.optimizerSeconds)})`,
  );
  line("tokens a step", number(result.tokensPerStep, 0));
  line("raw matrix products", `${number(result.rawGflops, 0)} GFLOPS`);
  line(
    "effective over a step",
    `${number(result.effectiveGflops, 0)} GFLOPS, ${number(100 * result.shareOfRaw, 0)} % of raw`,
  );
  line(
    "  products really made",
    `${number(result.executedGflops, 0)} GFLOPS, ${number(100 * result.shareOfRawExecuted, 0)} % of raw`,
  );
  line("  without the optimizer", `${number(100 * result.shareOfRawWithoutOptimizer, 0)} % of raw`);
  line(
    "peak memory",
    `${number(result.peakGiB)} GiB (told before training, for the longest rows: ${number(result.needGiB)} GiB)`,
  );
  if (result.operations)
    line(
      "loss and gradients, by operation",
      Object.entries(result.operations)
        .slice(0, 6)
        .map(([name, share]) => `${name} ${number(100 * share, 0)} %`)
        .join(", "),
    );
  const { python } = result;
  if (!python) return;
  line(
    "python: rows a second",
    `${number(python.rowsPerSecond)} (${Object.entries(python.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")})`,
  );
  line("python: seconds a step", number(python.stepSeconds));
  line("python: padded tokens a step", number(python.paddedTokensPerStep, 0));
  line("python: peak memory", `${number(python.peakGiB)} GiB`);
  line("times python's rows a second", number(result.rowsPerSecond / python.rowsPerSecond));
  if (result.grouped) line("python, like lengths together", `${number(result.grouped.rowsPerSecond)} rows a second`);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
