import type { LoggedReply, Prediction } from "../../evaluate/index.js";
import type { Manifest } from "../../record/index.js";
import type { AskedText } from "../result.js";

/** A finished run of ours with the texts of its rows: what other tools' files are made of. */
export interface ExportedRun {
  readonly name: string;
  readonly stage: string;
  readonly manifest: Manifest;
  readonly predictions: readonly Prediction[];
  /** By row id, of every prediction. */
  readonly texts: ReadonlyMap<string, AskedText>;
  /** What was kept with the reply to a row: its tokens, its time, its reasoning; undefined where nothing was. */
  readonly keptReply: (id: string) => LoggedReply | undefined;
}

/** How runs are written for another tool: a file with one of these and a line in `index.ts`. */
export interface Exporter {
  /** As the command line names it. */
  readonly name: string;
  /** What it writes, in a sentence. */
  readonly writes: string;
  /** Where it needs no texts of the rows: they are then not read. */
  readonly withoutTexts?: true;
  /** Where its files have the prompts: those are written anew for it. */
  readonly withPrompts?: true;
  /**
   * Writes a run; each file whole or not at all, the same for the same run.
   * @returns the paths of what was written
   * @throws {UserError} where it cannot be written
   */
  write(run: ExportedRun, folder: string): Promise<string[]>;
}

/** Predictions by language, in the order of the run. */
export function byLanguage(predictions: readonly Prediction[]): Map<string, Prediction[]> {
  const groups = new Map<string, Prediction[]>();
  for (const one of predictions) {
    const group = groups.get(one.language);
    if (group) group.push(one);
    else groups.set(one.language, [one]);
  }
  return groups;
}

/** The model that answered, as the manifest names it. */
export const modelOf = ({ manifest, name }: Pick<ExportedRun, "manifest" | "name">): string =>
  String(manifest.model?.["name"] ?? manifest.model?.["source"] ?? name);

/** Tokens of a reply by the names that tools give them; undefined where the server sent no numbers. */
export const usageOf = ({ tokens }: Pick<LoggedReply, "tokens">) =>
  tokens && {
    input_tokens: Math.round(tokens.prompt),
    output_tokens: Math.round(tokens.completion),
    total_tokens: Math.round(tokens.prompt) + Math.round(tokens.completion),
  };

/** A name as a part of a file's name. */
export const fileName = (name: string): string => name.replace(/[^A-Za-z0-9._-]+/g, "_").slice(0, 120) || "_";
