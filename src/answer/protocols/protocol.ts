import type { MeasuredLetters } from "../answerer.js";
import type { PromptName } from "../formats/index.js";
import type { ReadingName } from "../reading/index.js";

/** Where examples come from: the first rows, those of harnesses before 0.4.13, or rows that nobody asks about. */
export const shotSources = ["first_n", "first_n_with_itself", "disjoint"] as const;
export type ShotSource = (typeof shotSources)[number];

/**
 * A way to measure that others' figures are published by: what must be asked and read so that figures can stand beside
 * theirs. A protocol is one file with one of these, named in `index.ts`.
 */
export interface Protocol {
  /** In a sentence, as the configuration's page has it. */
  readonly description: string;
  /** What of a reply is measured: its text, read; or the letters' probabilities, in place of a text. */
  readonly measures: "text" | MeasuredLetters;
  /** The prompts that it may have; undefined for any. */
  readonly prompts?: readonly PromptName[];
  /** How it reads; undefined for any reading. */
  readonly reading?: ReadingName;
  /** What a reply has in front of the letter that it gives; nothing unless given. */
  readonly beforeAnswer?: string;
  /** Where examples come from unless told otherwise. */
  readonly shotSource: ShotSource;
  /** The preset that has all that it wants. */
  readonly preset?: string;
  /**
   * The groups that a row's answer counts in, by the original's names, where it tells figures by group.
   * @param row with its language as the set codes it, and its clean subject
   */
  readonly groups?: (row: { readonly language: string; readonly subject: string }) => readonly string[];
  /** Whether its figure for several languages is the plain mean of theirs. */
  readonly meanOfLanguages?: boolean;
}
