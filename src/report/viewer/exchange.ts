import type { AnswerRequest } from "../../answer/index.js";
import type { LoggedReply } from "../../evaluate/index.js";
import type { AskedText } from "../../exchange/index.js";
import type { Row } from "../../tasks/index.js";

/** A request as it was, or as it would be now. */
export interface WrittenPrompt {
  readonly prompt: AnswerRequest["prompt"];
  /** New tokens at most. */
  readonly maximumTokens: number;
  /** What is measured behind the prompt, where no text was asked for. */
  readonly measured?: readonly string[];
  /** The rows it asks, their options in the order in which they were shown. */
  readonly rows: readonly Row[];
  /** Whether it is the very request that was sent; undefined where nobody can tell. */
  readonly asSent: boolean | undefined;
}

/**
 * Writes the request anew that a kept reply answers.
 * @param run the run's folder
 * @throws {UserError} where it cannot: its rows are not on this machine, or have changed
 */
export type PromptOf = (run: string, reply: LoggedReply) => Promise<WrittenPrompt>;

/**
 * Reads the questions of a run's rows of one language anew, by row id.
 * @param run the run's folder
 * @throws {UserError} where they are not on this machine
 */
export type QuestionsOf = (run: string, language: string) => Promise<ReadonlyMap<string, AskedText>>;
