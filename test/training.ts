import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A fine-tuning of the sample's tiny T5 that takes seconds and is not chaotic: short, dropout off, every step logged. */
export const TRAINING = { epochs: 2, batchSize: 19 } as const;

/** The last step of an epoch has one row: of several processes all but one have none. */
export const short = (...more: string[]): string[] => [
  "flan-t5-finetune",
  "--sample",
  ...[
    "data.rowsPerLanguage=60",
    `training.epochs=${TRAINING.epochs}`,
    `training.batchSize=${TRAINING.batchSize}`,
    "training.learningRate=2e-4",
    "training.dropout=0",
    "training.loggingSteps=1",
    "training.saveSteps=4",
    "training.validateEachEpoch=true",
    "training.loadBestModelAtEnd=true",
    "modelLink=null",
  ].flatMap((setting) => ["--set", setting]),
  ...more,
];

/** The lines of a run's or an engine's log. */
export const logOf = (folder: string): any[] =>
  readFileSync(join(folder, "train-log.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

/** The largest difference between two logs of the same steps and validations. */
export function largestDifference(one: readonly any[], other: readonly any[]): number {
  if (one.length !== other.length) throw new Error(`${one.length} lines, and ${other.length}`);
  return Math.max(
    ...one.map((line, i) => Math.abs((line.loss ?? line.validationLoss) - (other[i].loss ?? other[i].validationLoss))),
  );
}
