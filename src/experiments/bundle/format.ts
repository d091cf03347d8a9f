import { fileURLToPath } from "node:url";
import { z } from "zod";

/*
 * The contract with every training engine: what a bundle holds and what a run of it leaves, as
 * docs/training-bundle.md tells it. A change that an engine could misread is a new format.
 */

export const BUNDLE_FORMAT = 1;

/** Names of a bundle's files. */
export const BUNDLE = {
  job: "job.json",
  train: "train.jsonl",
  validation: "validation.jsonl",
  steps: "steps.jsonl",
  adapter: "adapter-start",
  base: "base",
  sums: "SHA256SUMS",
} as const;

/** Names of the files of an engine's run. */
export const ENGINE_RUN = {
  log: "train-log.jsonl",
  result: "result.json",
  weights: "trained.safetensors",
} as const;

/** The PyTorch engine's files, which lie in this package and go into every bundle. */
export const ENGINE_FILES = ["train.py", "requirements.txt"] as const;
export const engineFile = (name: (typeof ENGINE_FILES)[number]): string =>
  fileURLToPath(new URL(`../../../engines/torch/${name}`, import.meta.url));

const count = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "is no SHA-256");
const text = z.string().max(1000);

/** `job.json`: the recipe. */
export interface Job {
  readonly format: typeof BUNDLE_FORMAT;
  readonly name: string;
  /** Hash of configuration, split, tokenizer and base: the results of another experiment are refused by it. */
  readonly identity: string;
  readonly kind: "seq2seq-lm" | "causal-lm";
  readonly model: {
    /** A hub id, a folder, or a folder of the bundle. */
    readonly source: string;
    readonly inBundle: boolean;
    /** The hub's commit. */
    readonly revision: string | null;
    /** SHA-256 of the folder's files. */
    readonly files: Readonly<Record<string, string>>;
    readonly modelType: string;
    readonly torchDtype: "float32" | "float16";
    readonly quantization: "none" | "fp4" | "nf4";
    readonly doubleQuantization: boolean;
    readonly padTokenId: number;
    /** What the decoder begins with; null where there is none. */
    readonly startTokenId: number | null;
  };
  readonly lora: Readonly<Record<string, unknown>> | null;
  readonly training: {
    readonly epochs: number;
    readonly steps: number;
    readonly stepsPerEpoch: number;
    readonly batchSize: number;
    readonly betas: readonly [number, number];
    readonly epsilon: number;
    readonly weightDecay: number;
    /** A regular expression of the names that are not decayed, case aside. */
    readonly notDecayed: string;
    readonly maxGradNorm: number | null;
    readonly dropout: number | null;
    readonly seed: number;
    readonly loggingSteps: number;
    readonly saveSteps: number;
    readonly validateEachEpoch: boolean;
    readonly keepBest: boolean;
    readonly earlyStoppingPatience: number | null;
  };
  /** SHA-256 of rows, steps and the adapters' start. */
  readonly files: Readonly<Record<string, string>>;
}

/** `result.json`: what came of a run. Keys that are not named pass, so that another engine may say more. */
export const resultSchema = z.looseObject({
  format: z.literal(BUNDLE_FORMAT, "is not this version's"),
  /** SHA-256 of the bundle's job.json. */
  job: sha256,
  identity: sha256,
  files: z.record(text, sha256),
  steps: count,
  rows: count,
  loss: z.number(),
  seconds: z.number().nonnegative(),
  rowsPerSecond: z.number().nonnegative(),
  validations: z.array(z.object({ epoch: count.positive(), step: count, loss: z.number() })).max(100_000),
  bestEpoch: count.positive().nullable(),
  /** SHA-256 of trained.safetensors. */
  weights: sha256,
  processes: count.positive(),
  /** What products were computed in. */
  precision: z.enum(["float32", "bfloat16"]),
  device: text,
  /** Versions of the engine's parts. */
  engine: z.record(text, text),
});
export type EngineResult = z.infer<typeof resultSchema>;
