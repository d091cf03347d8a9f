/** Whose results are read: one more tool is a file here and a line in this one. */
import { statSync } from "node:fs";
import { UserError } from "../../base/errors.js";
import { readManifest } from "../../record/index.js";
import type { Result } from "../result.js";
import type { Importer } from "./importer.js";
import { inspect } from "./inspect.js";
import { lmEval } from "./lm-eval.js";
import { ownRun } from "./own-run.js";

export type { Importer } from "./importer.js";

/** The first that takes a path reads it. */
export const importers: readonly Importer[] = [ownRun, lmEval, inspect];

/** The importer that reads a path; undefined where none does. */
export const importerOf = (path: string): Importer | undefined => importers.find((one) => one.takes(path));

/**
 * Loads a result of any tool.
 * @param reference a path, or `PATH:STAGE` (of our runs `baseline`, `final`, `test`; of lm-evaluation-harness a filter;
 * of Inspect an epoch); without a stage the last of ours and the first of others' counts
 * @throws {UserError} where nothing there can be read, or it has no such stage
 */
export async function loadResult(reference: string): Promise<Result> {
  const colon = reference.lastIndexOf(":");
  const hasStage = colon > 1 && !statSync(reference, { throwIfNoEntry: false });
  const path = hasStage ? reference.slice(0, colon) : reference;
  const importer = importerOf(path);
  if (!importer) {
    // What is wrong with a folder that should be a run of ours, its own reader says best.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== false) await readManifest(path);
    throw new UserError(`${path} is no result that is read here`, {
      hint: `Read are: ${importers.map(({ name, reads }) => `${name} (${reads})`).join("; ")}.`,
    });
  }
  const all = await importer.read(path);
  const stageOf = (one: Result): string => one.predictions[0]?.stage ?? "";
  const wanted = hasStage ? reference.slice(colon + 1) : undefined;
  const found =
    wanted !== undefined
      ? all.find((one) => stageOf(one) === wanted || stageOf(one) === `epoch ${wanted}`)
      : importer === ownRun
        ? (["final", "test"].flatMap((usual) => all.find((one) => stageOf(one) === usual) ?? [])[0] ?? all.at(-1))
        : all[0];
  if (!found)
    throw new UserError(`${path} has no answers of stage "${wanted ?? ""}"`, {
      hint: `It has: ${all.map(stageOf).join(", ") || "none"}.`,
    });
  return found;
}

/**
 * Loads results for a comparison; where the names of two would be the same, but for a stage's, they are called as they
 * were asked for.
 * @throws {UserError} as {@link loadResult}
 */
export async function loadResults(references: readonly string[]): Promise<Result[]> {
  const results = await Promise.all(references.map(loadResult));
  const runOf = ({ name, path, manifest }: Result): string => (manifest ? `${manifest.name} ${path}` : name);
  const sameName = (one: Result, other: Result): boolean =>
    one.name === other.name || (nameOf(one) === nameOf(other) && runOf(one) !== runOf(other));
  return results.map((result, index) => ({
    ...result,
    name: results.some((other, place) => place !== index && sameName(result, other))
      ? (references[index] as string)
      : result.name,
  }));
}

/** What a result is called without its stage. */
const nameOf = ({ name, manifest }: Result): string => manifest?.name ?? name;
