import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gemma2Prompt } from "../../src/answer/index.js";
import { decoderConfigJson } from "../../src/models/decoder/config-json.js";
import { decoderWeightShapes } from "../../src/models/decoder/weight-shapes.js";
import { type DecoderConfig, type Example, gemma2, tinyDecoderConfig } from "../../src/models/index.js";
import { loadTokenizer } from "../../src/tokens/index.js";
import type { BenchOptions } from "../train.js";
import { drawExamples, SHARED } from "./examples.js";
import { writeRandomModel } from "./random-model.js";

/** google/gemma-2-2b's shape: 26 layers, 2.6 billion parameters. */
export const GEMMA_2_2B: DecoderConfig = tinyDecoderConfig(gemma2, {
  vocabSize: 256_000,
  hiddenSize: 2304,
  intermediateSize: 9216,
  numHiddenLayers: 26,
  numAttentionHeads: 8,
  numKeyValueHeads: 4,
  headDim: 256,
  queryPreAttnScalar: 256,
  slidingWindow: 4096,
  maxPositionEmbeddings: 8192,
});
export const [BATCH, ACCUMULATION] = [4, 4] as const;

export interface GemmaRun {
  readonly loadSeconds: number;
  readonly stepSeconds: readonly number[];
  readonly rows: number;
  readonly tokens: number;
  readonly peakBytes: number;
  readonly rawGflops: number;
}

/** Rows as the published recipe has them: the letter and <eos> to be learnt. */
export async function gemmaExamples(count: number): Promise<Example[]> {
  const tokenizer = await loadTokenizer({ source: join(SHARED, "tokenizers", "gemma-2") });
  const letters = await tokenizer.encode(" A", false);
  const drawn = await drawExamples(count, tokenizer, gemma2Prompt, 257);
  return drawn.map((one) => ({ ...one, target: [...letters, 1] }));
}

interface PythonGemma {
  readonly seconds: number;
  readonly rows: number;
  readonly loadSeconds: number;
  readonly peakBytes: number;
  readonly versions: Readonly<Record<string, string>>;
}

/** What is printed with `--json`. */
export interface GemmaBench {
  readonly model: string;
  readonly cores: number;
  readonly loadSeconds: number;
  readonly stepSeconds: number;
  readonly rowsPerSecond: number;
  readonly tokensPerRow: number;
  readonly rawGflops: number;
  readonly peakGiB: number;
  readonly python?: {
    readonly loadSeconds: number;
    readonly rowsPerSecond: number;
    readonly secondsForRows: readonly number[];
    readonly peakGiB: number;
    readonly versions: Readonly<Record<string, string>>;
  };
  readonly times?: number;
  /** Python with rows padded to the longest of their batch alone. */
  readonly unpadded?: { readonly rowsPerSecond: number };
}

/**
 * The published optimizer step, 4 × 4 rows, on random weights in bfloat16 that are written once. Python, which pads
 * every row to 300 tokens as published, is timed on one batch of four rows: a quarter of a step.
 */
export async function bench({ steps, python, further, json }: BenchOptions): Promise<void> {
  const folder = writeModel();
  const examples = await gemmaExamples(steps * BATCH * ACCUMULATION);
  const scratch = mkdtempSync(join(tmpdir(), "bench-gemma-"));
  try {
    const work = join(scratch, "work.json");
    writeFileSync(work, JSON.stringify({ folder, examples, batchSize: BATCH, accumulation: ACCUMULATION }));
    const here = fileURLToPath(new URL(".", import.meta.url));
    const run = <T>(program: string, given: string[]): T =>
      JSON.parse(
        execFileSync(program, given, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 28 })
          .trim()
          .split("\n")
          .at(-1)!,
      ) as T;
    const ours = run<GemmaRun>(process.execPath, ["--import", "tsx", join(here, "gemma.ts"), work]);
    const script = resolve(here, "../python/train_gemma.py");
    const theirs = python ? run<PythonGemma>(python, [script, work]) : undefined;
    const unpadded = python && further ? run<PythonGemma>(python, [script, work, "longest"]) : undefined;
    const seconds = ours.stepSeconds.reduce((a, b) => a + b, 0);
    const result = {
      model: "gemma-2-2b",
      cores: availableParallelism(),
      loadSeconds: ours.loadSeconds,
      stepSeconds: seconds / ours.stepSeconds.length,
      rowsPerSecond: ours.rows / seconds,
      tokensPerRow: ours.tokens / ours.rows,
      rawGflops: ours.rawGflops,
      peakGiB: ours.peakBytes / 2 ** 30,
      ...(theirs
        ? {
            python: {
              loadSeconds: theirs.loadSeconds,
              rowsPerSecond: theirs.rows / theirs.seconds,
              secondsForRows: [theirs.seconds, theirs.rows],
              peakGiB: theirs.peakBytes / 2 ** 30,
              versions: theirs.versions,
            },
            times: ours.rows / seconds / (theirs.rows / theirs.seconds),
          }
        : {}),
      ...(unpadded ? { unpadded: { rowsPerSecond: unpadded.rows / unpadded.seconds } } : {}),
    } satisfies GemmaBench;
    if (json) console.log(JSON.stringify(result));
    else
      for (const [name, value] of Object.entries(result))
        console.log(
          `${name.padEnd(18)} ${typeof value === "object" ? JSON.stringify(value) : typeof value === "number" && !Number.isInteger(value) ? value.toFixed(3) : value}`,
        );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Random weights of the real shape in the real format (sharded bfloat16, 5.2 GB), written once to the user's cache.
 * @param layers fewer than the real ones, to save time and room
 */
export function writeModel(layers = GEMMA_2_2B.numHiddenLayers): string {
  const config = {
    ...GEMMA_2_2B,
    numHiddenLayers: layers,
    layerTypes: GEMMA_2_2B.layerTypes.slice(0, layers),
  };
  const name = layers === GEMMA_2_2B.numHiddenLayers ? "gemma-2-2b" : `gemma-2-2b-${layers}-layers`;
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "mmmlu-lab", "bench", name);
  if (existsSync(join(folder, "config.json"))) return folder;
  writeRandomModel(folder, decoderConfigJson(config, gemma2), decoderWeightShapes(config));
  return folder;
}
