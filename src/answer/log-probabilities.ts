import { UserError } from "../base/errors.js";
import { LETTERS, type Letter } from "../data/index.js";
import type { ChatMessage } from "./prompts.js";

/** A token's log-probability as OpenAI's format has it. */
export interface TokenLogProbability {
  readonly token: string;
  readonly logprob: number;
  readonly top_logprobs?: readonly { readonly token: string; readonly logprob: number }[];
}

/** How many of the most probable tokens are asked for: the most that OpenAI's format allows. */
export const TOP_LOG_PROBABILITIES = 20;

/**
 * Two items with known and different answers: what a server sends for both alike, it has not computed. They are not of one length, so
 * that they differ for a vocabulary that knows none of their words.
 */
export const PROBES: readonly { readonly answer: Letter; readonly messages: readonly ChatMessage[] }[] = [
  ["B", "Which of these is a colour?\nA: seven\nB: red\nC: to run\nD: Tuesday"],
  ["D", "Which of these words is a number?\nA: green grass\nB: Friday night\nC: to sing\nD: four"],
].map(([answer, question]) => ({
  answer: answer as Letter,
  messages: [
    { role: "system", content: "Answer with a single capital letter (A, B, C, or D) and nothing else." },
    { role: "user", content: `Question: ${question as string}\nAnswer:` },
  ],
}));

/** The tokens of a choice's `logprobs`, from the chat format or from the older one of `/completions`. */
export function tokensOf(logprobs: unknown): unknown {
  const {
    content,
    tokens,
    token_logprobs: values,
    top_logprobs: tops,
  } = (logprobs ?? {}) as {
    content?: unknown;
    tokens?: string[];
    token_logprobs?: number[];
    top_logprobs?: Record<string, number>[];
  };
  if (!tokens) return content;
  return tokens.map((token, index) => ({
    token,
    logprob: values?.[index],
    top_logprobs: Object.entries(tops?.[index] ?? {}).map(([other, logprob]) => ({ token: other, logprob })),
  }));
}

/** What is wrong with the log-probabilities of one reply at temperature 0; undefined where they can be true. */
export function faultOf(content: unknown, text: string): string | undefined {
  if (!Array.isArray(content) || content.length === 0) return "none were sent";
  const tokens = content as TokenLogProbability[];
  for (const { token, logprob, top_logprobs: top } of tokens) {
    if (typeof token !== "string" || typeof logprob !== "number" || !Number.isFinite(logprob) || logprob > 1e-6)
      return "a token's value is not the logarithm of a probability";
    if (!Array.isArray(top) || top.length < 2) return "the most probable other tokens were not sent";
    if (top.every((other) => other.logprob === (top[0] as { logprob: number }).logprob))
      return "all tokens at a place have the same value";
    if (top.reduce((sum, other) => sum + Math.exp(other.logprob), 0) > 1.01)
      return "the probabilities at a place add up to more than 1";
  }
  // Reasoning and trimmed blanks may be left out of the text, but an answer's own tokens may not be other ones.
  const said = tokens.map(({ token }) => token).join("");
  if (text.trim() !== "" && !said.includes(text.trim())) return "the tokens are not those of the reply";
  return undefined;
}

/**
 * Holds the replies to both {@link PROBES} against each other.
 * @throws {UserError} where the server does not truly send log-probabilities: zeros are never scored.
 */
export function requireTrueLogProbabilities(
  replies: readonly { content: unknown; text: string }[],
  server: string,
): void {
  let fault: string | undefined;
  for (const { content, text } of replies) fault ??= faultOf(content, text);
  const [first, second] = replies;
  if (!fault && first && second && JSON.stringify(first.content) === JSON.stringify(second.content))
    fault = "two different questions got the very same values";
  if (fault) {
    throw new UserError(`${server} does not truly send log-probabilities: ${fault}`, {
      hint: "Set answerer.logProbabilities=false, or ask a server that has them, such as mmmlu serve.",
    });
  }
}

/**
 * The log-probabilities of A to D at the first token that is one of them. A letter that is not among the tokens sent
 * gets the lowest value sent: it can have no more. Undefined where no token is a letter.
 */
export function letterLogProbabilities(content: unknown): [number, number, number, number] | undefined {
  if (!Array.isArray(content)) return undefined;
  const place = (content as TokenLogProbability[]).find(({ token }) => letterOfToken(token) !== undefined);
  const top = place?.top_logprobs;
  if (!top || top.length === 0) return undefined;
  const lowest = Math.min(...top.map(({ logprob }) => logprob));
  return LETTERS.map((letter) => {
    // " A" and "A" are two tokens for one answer.
    const mass = top.reduce(
      (sum, { token, logprob }) => (letterOfToken(token) === letter ? sum + Math.exp(logprob) : sum),
      0,
    );
    return mass > 0 ? Math.log(mass) : lowest;
  }) as [number, number, number, number];
}

function letterOfToken(token: string): Letter | undefined {
  const text = token.replace(/^[\s▁Ġ("'*]+|[\s.)"'*:]+$/g, "");
  return LETTERS.find((letter) => letter === text);
}
