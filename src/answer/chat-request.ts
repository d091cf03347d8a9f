import type { Letter } from "../tasks/index.js";
import type { RawReply } from "./answerer.js";
import type { ChatReply } from "./chat-reply.js";
import { letterLogProbabilities, TOP_LOG_PROBABILITIES, tokensOf } from "./log-probabilities.js";
import type { ChatMessage } from "./prompts.js";

/** What all questions to a server have in common. */
export interface ChatQuestion {
  /** As the server's model list names it. */
  readonly model: string;
  readonly temperature: number;
  /** Whether each reply must come with the letters' log-probabilities. */
  readonly logProbabilities: boolean;
}

/** A prompt as OpenAI's HTTP API takes it: a chat for `/chat/completions`, a plain text for `/completions`. */
export function chatQuestion(
  { model, temperature, logProbabilities }: ChatQuestion,
  prompt: readonly ChatMessage[] | string,
  maximumTokens: number,
): { readonly route: "chat/completions" | "completions"; readonly body: object } {
  const max_tokens = maximumTokens;
  return typeof prompt === "string"
    ? {
        route: "completions",
        body: { model, temperature, max_tokens, prompt, ...(logProbabilities ? { logprobs: 5 } : {}) },
      }
    : {
        route: "chat/completions",
        body: {
          model,
          temperature,
          max_tokens,
          messages: prompt,
          ...(logProbabilities ? { logprobs: true, top_logprobs: TOP_LOG_PROBABILITIES } : {}),
        },
      };
}

/**
 * What is kept of a reply to a request.
 * @param letters of the row's options, where their log-probabilities are kept: where it asks one question
 */
export function rawReplyOf({ logprobs, ...reply }: ChatReply, letters: readonly Letter[] | undefined): RawReply {
  const logProbabilities = letters && letterLogProbabilities(tokensOf(logprobs), reply.text, letters);
  return logProbabilities ? { ...reply, logProbabilities } : reply;
}
