import type { TextEngine } from "./engine.js";
import { ApiError } from "./errors.js";
import type { CompletionRequest, Prompt } from "./request.js";

export interface ServerLimits {
  /** The most new tokens that a request may ask for. */
  readonly maximumTokens: number;
  /**
   * The most tokens that a prompt may have: an architecture without a limit of its own would take memory without end.
   */
  readonly maximumPromptTokens: number;
  /** New tokens of a chat that asks for no number. */
  readonly defaultMaximumTokens: number;
}

/** Log-probabilities that the echoes of one request may have together. */
const MOST_ECHOED = 1 << 18;

/**
 * What can be said of a request before its turn has come and its prompts are tokenized.
 * @throws {ApiError} 400: too many new tokens asked for, a prompt that is empty or longer than its tokens could be, an
 * echo that
 *   the model cannot give
 */
export function requireReadable(request: CompletionRequest, limits: ServerLimits, engine: TextEngine): void {
  const { prompts, maximumTokens: asked, echo, topLogProbabilities: top } = request;
  if (asked !== undefined && asked > limits.maximumTokens) {
    throw new ApiError(
      400,
      `${asked} new tokens are more than the ${limits.maximumTokens} that this server generates`,
      { param: "max_tokens", code: "max_tokens_too_large" },
    );
  }
  if (echo && !engine.score)
    throw new ApiError(400, `echo: ${engine.id} is an encoder-decoder model, which does not predict its prompt`, {
      param: "echo",
      code: "echo_not_supported",
    });
  const most = limits.maximumPromptTokens * engine.longestToken;
  for (const prompt of prompts) {
    const characters = lengthOf(prompt);
    if (typeof prompt[0] !== "number" && characters > most)
      throw new ApiError(
        400,
        `the prompt has ${characters} characters, more than the ${most} that ${limits.maximumPromptTokens} ` +
          `tokens can stand for`,
        { code: "context_length_exceeded" },
      );
  }
  const echoed = prompts.reduce((sum, prompt) => sum + Math.min(lengthOf(prompt), limits.maximumPromptTokens), 0);
  if (echo && top !== undefined && echoed * (top + 1) > MOST_ECHOED && prompts.length > 1)
    throw new ApiError(400, "the prompts are too many for one reply with log-probabilities: send fewer at once", {
      param: "prompt",
    });
}

/** Characters of a text or a chat; tokens of token ids. */
function lengthOf(prompt: Prompt): number {
  if (typeof prompt === "string") return prompt.length;
  let length = 0;
  for (const part of prompt) length += typeof part === "number" ? 1 : part.content.length;
  return length;
}

/**
 * How many tokens are generated behind a prompt.
 * @throws {ApiError} 400 where the prompt is empty or too long, or no room is left behind it
 */
export function boundTokens(
  promptTokens: number,
  asked: number | undefined,
  limits: ServerLimits,
  { longestSequence }: TextEngine,
): number {
  if (promptTokens === 0) throw new ApiError(400, "the prompt is empty", { code: "empty_prompt" });
  if (promptTokens > limits.maximumPromptTokens) {
    throw new ApiError(
      400,
      `the prompt has ${promptTokens} tokens, more than the ${limits.maximumPromptTokens} that this server takes`,
      { code: "context_length_exceeded" },
    );
  }
  const wanted = asked ?? limits.defaultMaximumTokens;
  if (longestSequence === undefined) return wanted;
  // Only a reply's length that was asked for must fit; the default shrinks.
  const room = longestSequence - promptTokens;
  if (room < Math.min(1, wanted) || (asked !== undefined && asked > room)) {
    throw new ApiError(
      400,
      `This model's maximum context length is ${longestSequence} tokens, and the request has ${promptTokens} ` +
        `in the prompt and asks for ${wanted}`,
      { code: "context_length_exceeded" },
    );
  }
  return Math.min(wanted, room);
}
