import { z } from "zod";
import { UserError } from "../base/errors.js";
import type { Retry } from "../base/retry.js";
import { OPTION_LETTERS, type Row } from "../tasks/index.js";
import type { ChatMessage } from "./prompts.js";

/** What is sent at once: the question of one row, or of several. */
export interface AnswerRequest {
  /** The rows whose questions it asks, in order. */
  readonly rows: readonly Row[];
  /** What the model reads: the turns of a chat, or a text to go on from. */
  readonly prompt: readonly ChatMessage[] | string;
  readonly maximumTokens: number;
  /** Of one row: the probabilities of its options' letters are measured, and no text is asked for. */
  readonly letters?: LettersAsked;
  /** Which asking of these rows it is, from 0: what is drawn differs from one to the next. */
  readonly repeat?: number;
}

/**
 * How probabilities of letters are measured: the log-likelihood of each as a continuation of the prompt, or what of it
 * stands among the likeliest next tokens.
 */
export type MeasuredLetters = "continuations" | "next-token";

export interface LettersAsked {
  readonly measured: MeasuredLetters;
  /** From A on, with what stands in front of them behind the prompt: ` A`. */
  readonly written: readonly string[];
}

/** What came back, as it came; where letters were measured, the likeliest of them is the text. */
export interface RawReply {
  readonly text: string;
  /** Reasoning that the server sent apart from the reply. */
  readonly reasoning?: string;
  /** Why generation ended, in the server's words: `stop`, `length`, … */
  readonly finish?: string;
  /** Tokens read and written, as the server counts them. */
  readonly tokens?: { readonly prompt: number; readonly completion: number };
  /** Who answered by the server's own word, where it is another name than was asked for. */
  readonly model?: string;
  /** Log-probabilities of the options' letters, from A on, at the answer's place. */
  readonly logProbabilities?: readonly number[];
  /**
   * The largest of the letters' logits there, as a local model gives it: what its rounding in another type depends on.
   */
  readonly letterLogit?: number;
}

/**
 * What a reply is, wherever it comes from or is read back: a server's reader, the writer of a log and its reader hold
 * to it.
 */
export const rawReplySchema = z.object({
  text: z.string(),
  reasoning: z.string().optional(),
  finish: z.string().max(100).optional(),
  model: z.string().max(200).optional(),
  tokens: z.object({ prompt: z.number().nonnegative(), completion: z.number().nonnegative() }).optional(),
  logProbabilities: z.array(z.number()).min(2).max(OPTION_LETTERS.length).optional(),
  letterLogit: z.number().optional(),
}) satisfies z.ZodType<RawReply>;

/**
 * The server is there, and to this one request it gives nothing but replies that are none (a filter, broken parts):
 * others may go well.
 */
export class Unanswered extends UserError {}

/** A request as it would be sent, for people to read. */
export interface RequestPreview {
  /** Method and address, or who on this machine is asked. */
  readonly to: string;
  /** Keys and passwords are hidden. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface AnswerContext {
  /** Aborting drops what is under way; `answer` then rejects. */
  readonly signal?: AbortSignal;
  /** Told of each attempt that failed and is made again. */
  readonly onRetry?: (request: AnswerRequest, retry: Retry) => void;
}

/** Who answers: a chat server, a local model, a baseline. */
export interface Answerer {
  /** As figures label it: a model's name, or `baseline:majority`. */
  readonly name: string;
  /** What it is, in a sentence. */
  readonly description: string;
  /** What a run's manifest says of it, where a reader of the figures must know. */
  readonly note?: string;
  /** Everything of it that can change a reply; with the prompt it is the key under which a reply is kept. */
  readonly identity: Readonly<Record<string, unknown>>;
  /** The folder of the tokenizer and chat template that prompts are read with, where it is on this machine. */
  readonly tokenizerFolder?: string;
  /** How many requests one call of `answer` takes: 1 for a server, a batch for a local model. */
  readonly requestsAtOnce: number;
  /** How many calls of `answer` it wants under way at once; undefined where the experiment says. */
  readonly concurrency?: number;
  /**
   * Whether it can answer at all, as far as that costs nothing: asked before any row is read. Answerers that need no
   * look have none. @throws {UserError} where it cannot
   */
  check?(signal?: AbortSignal, onRetry?: (retry: Retry) => void): Promise<void>;
  /**
   * Called once before the first question; told of each attempt made again, such as while a model is loading. @throws
   * {UserError} where it cannot answer at all.
   */
  prepare(signal?: AbortSignal, onRetry?: (retry: Retry) => void): Promise<void>;
  /** What `answer` would send, where it sends anything. */
  preview?(request: AnswerRequest): RequestPreview;
  /** One reply for each request, in order. @throws {UserError} where there is none to be had. */
  answer(requests: readonly AnswerRequest[], context?: AnswerContext): Promise<RawReply[]>;
  close(): Promise<void>;
}
