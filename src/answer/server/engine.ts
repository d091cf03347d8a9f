import type { ChatMessage } from "../prompts.js";

/** What is to be generated. */
export interface TextRequest {
  /** Token ids of the prompt, special tokens included. */
  readonly prompt: readonly number[];
  readonly maximumTokens: number;
  /** 0 takes the likeliest token; above that tokens are drawn. */
  readonly temperature: number;
  /** Tokens are drawn from the likeliest that make up this share. */
  readonly topShare: number;
  /** Seeds the drawing. */
  readonly seed: number;
  /** How many of the likeliest tokens to give with each token; undefined for none and no log-probability either. */
  readonly topLogProbabilities?: number;
}

/** A token as it comes; without `token`, what is left of the text at the end. */
export interface TextToken {
  /** What it adds to the text; empty while a character is not whole. */
  readonly text: string;
  /** The token as the vocabulary has it decoded, for log-probabilities. */
  readonly token?: string;
  readonly logProbability?: number;
  readonly top?: readonly { readonly token: string; readonly logProbability: number }[];
}

/** How a generation ended: the model's end token, or the most tokens. */
export type TextEnd = "stop" | "length";

/** A prompt's own tokens, as the model expects them. */
export interface ScoredPrompt {
  /**
   * Each token, and what it adds to the text; the first has no log-probability, and none has one where none was asked
   * for.
   */
  readonly tokens: readonly TextToken[];
  /** The token after the prompt, where log-probabilities and a new token were asked for. */
  readonly next?: TextToken & { readonly ends: boolean };
}

/** A model that a server can serve. */
export interface TextEngine {
  /** As `/v1/models` names it. */
  readonly id: string;
  /** Tokens that a prompt and its reply may have together; undefined where there is no limit. */
  readonly longestSequence?: number;
  /** How many requests it works on at once. */
  readonly requestsAtOnce: number;
  /** Characters of its longest token: text of so many characters has one token at least. */
  readonly longestToken: number;
  /**
   * The token ids of a chat or of a plain text.
   * @throws {UserError} where the model's chat template refuses the chat
   */
  tokenize(prompt: string | readonly ChatMessage[]): Promise<number[]>;
  /**
   * Generates until it ends, telling each token. When the signal is aborted it stops before the next token and may
   * resolve or reject.
   * @throws {UserError} where the model cannot go on
   */
  generate(request: TextRequest, onToken: (token: TextToken) => void, signal: AbortSignal): Promise<TextEnd>;
  /**
   * The log-probabilities of a prompt's own tokens, from one pass over it; undefined where a prompt's tokens are not
   * predicted (encoder-decoder models).
   */
  score?(request: TextRequest, signal: AbortSignal): Promise<ScoredPrompt>;
  /**
   * The log-likelihood of each continuation of a context: the natural logarithm of its tokens' probability behind the
   * context's. Undefined where the engine measures none.
   * @throws {UserError} where the context is too long, or a continuation has no token of its own
   */
  likelihoods?(context: string, continuations: readonly string[], signal: AbortSignal): Promise<number[]>;
  close(): Promise<void>;
}
