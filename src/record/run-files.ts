import { lstatSync, realpathSync, statSync } from "node:fs";
import { resolve, sep } from "node:path";
import { z } from "zod";
import { messageOf, UserError } from "../base/errors.js";
import { hintForReading } from "../base/hint-for-reading.js";
import { joinInside } from "../base/inside.js";
import { readJsonAs } from "../base/json.js";
import { protocolSchema } from "./protocol.js";

/*
 * The files of a run's folder as they are read back: by the viewer, by comparisons, by `score`, `reproduce`, and by the
 * run that goes on. A folder may come from elsewhere, from another version, or be damaged: each file is checked here,
 * once. Keys that are not named pass, so that a later version may add some.
 */

const count = z.number().int().nonnegative();
const total = z.number().nonnegative();
const anyKeys = z.record(z.string(), z.unknown());

/** `run.json`: what a run that has begun says of itself. */
export const runStartSchema = z.looseObject({
  format: z.literal(1),
  name: z.string(),
  configurationHash: z.string(),
  configuration: anyKeys,
  started: z.string(),
  process: z.number().int(),
});

/** What of `manifest.json` is read back; the rest is written for people and for other tools. */
export const manifestSchema = z.looseObject({
  format: z.number(),
  name: z.string(),
  kind: z.string(),
  started: z.string(),
  finished: z.string(),
  command: z.array(z.string()),
  configuration: anyKeys,
  configurationHash: z.string(),
  versions: z.record(z.string(), z.string()),
  machine: z.record(z.string(), z.union([z.string(), z.number()])),
  device: z.string().optional(),
  data: anyKeys.optional(),
  tokenizer: anyKeys.optional(),
  model: anyKeys.optional(),
  split: anyKeys.optional(),
  protocol: protocolSchema.optional(),
  tokens: z.looseObject({ prompt: total, completion: total, replies: count, uncounted: count }).optional(),
  seeds: z.record(z.string(), z.number()),
  sample: z.boolean(),
  notes: z.array(z.string()),
});

/** JSON has no NaN: a figure that was none is null. */
const figure = z
  .number()
  .nullish()
  .transform((value) => value ?? undefined);
const figuresByName = z.record(z.string(), figure);

const evaluation = {
  n: count,
  correct: count,
  accuracy: z.number().min(0).max(1),
  unreadable: count,
  unreadableBy: z.record(z.string(), count).optional(),
  statistics: z.looseObject({ clustered: z.looseObject({ interval: z.tuple([z.number(), z.number()]) }) }).optional(),
};

/** What of `metrics.json` is read back: of an evaluation, of fine-tuning's two, of an exploration. */
export const metricsSchema = z.looseObject({
  ...z.object(evaluation).partial().shape,
  baseline: z.looseObject(evaluation).optional(),
  final: z.looseObject(evaluation).optional(),
  training: z.looseObject({ steps: figure, loss: figure }).optional(),
  losses: z.record(z.string(), z.looseObject({ loss: figure, perplexity: figure }).optional()).optional(),
  rows: figure,
  nulls: figuresByName.optional(),
  answers: figuresByName.optional(),
  questionTokens: figuresByName.optional(),
  questionAndChoicesTokens: figuresByName.optional(),
  shareAtMost256: figure,
});
export type RunMetrics = z.infer<typeof metricsSchema>;

/** Rows that a stage was measured by, as `metrics.json` says; undefined where it does not. */
export const rowsMeasured = (metrics: RunMetrics | undefined, stage: string): number | undefined =>
  (stage === "baseline" ? metrics?.baseline : stage === "final" ? metrics?.final : metrics)?.n;

/** `splits.json`: ids of rows, in order. */
export const splitsSchema = z.looseObject({
  train: z.array(z.string()).optional(),
  validation: z.array(z.string()).optional(),
  test: z.array(z.string()),
});

const NOT_AS_WRITTEN =
  "The file is damaged, or another version of mmmlu-lab or another program wrote it: run the experiment again " +
  "in another folder (--out).";

/**
 * Reads a JSON file of a run's folder.
 * @param path the run's folder
 * @returns undefined where there is no such file
 * @throws {UserError} naming the file and each key that is not as it should be; or where it is no plain file of the
 * folder
 */
export async function readRunFile<T>(path: string, name: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const file = runFile(path, name);
  return file === undefined ? undefined : await readJsonAs(file, schema, { hint: NOT_AS_WRITTEN });
}

/**
 * A file of a run's folder, for reading.
 * @param path the run's folder
 * @returns undefined where there is none
 * @throws {UserError} where it is a link that leads out of the folder or to nothing, or no plain file (a pipe would be
 * waited for)
 */
export function runFile(path: string, name: string): string | undefined {
  const file = joinInside(path, name);
  if (!lstatSync(file, { throwIfNoEntry: false })) return undefined;
  let real: string;
  try {
    real = realpathSync(file);
    if (!real.startsWith(realpathSync(resolve(path)) + sep))
      throw new UserError(`${file} is a link that leads out of the run's folder`, {
        hint: "It is not followed: put the file itself there.",
      });
    if (!statSync(real).isFile())
      throw new UserError(`${file} is no plain file`, { hint: "A run's folder holds files: remove it." });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot read ${file}: ${messageOf(error)}`, { hint: hintForReading(error), cause: error });
  }
  return file;
}
