import type { TextEngine, TextRequest, TextToken } from "./engine.js";
import type { Choice, WrittenToken } from "./reply.js";

/** A reply that begins with its prompt, and what its usage is counted by. */
export interface ScoredChoice extends Choice {
  readonly read: number;
  readonly generated: number;
  readonly rest: "";
}

/**
 * `echo: true` of OpenAI's older route: the prompt's tokens with their log-probabilities (null for the first, which
 * nothing precedes), and new tokens behind them. A single new token comes from the same pass over the prompt, an end
 * token too: programs that score continuations, such as lm-evaluation-harness, ask for one and cut it off again.
 * @param text of the prompt, where it was given as text
 * @param generate the new tokens, where more than one is asked for
 */
export async function scoredChoice(
  engine: TextEngine,
  request: TextRequest,
  text: string | undefined,
  signal: AbortSignal,
  generate: (request: TextRequest) => Promise<Choice>,
): Promise<ScoredChoice> {
  const { maximumTokens: most, topLogProbabilities: top } = request;
  const inOnePass = most <= 1 && top !== undefined;
  const { tokens: read, next } = await engine.score!({ ...request, maximumTokens: inOnePass ? most : 0 }, signal);
  const decoded = read.map((token) => token.text).join("");
  const echoed = text ?? decoded;
  const opening = read[0]?.text ?? "";
  const lead = echoed.startsWith(opening) ? 0 : opening.length;
  const more: Choice =
    inOnePass || most === 0
      ? { text: next?.text ?? "", tokens: next ? [next as WrittenToken] : [], end: next?.ends ? "stop" : "length" }
      : await generate(request);
  return {
    text: echoed + more.text,
    tokens: [...(read as WrittenToken[]), ...more.tokens],
    offsets: [...offsetsOf(read, lead), ...offsetsOf(more.tokens, 0, echoed.length)],
    end: more.end,
    read: read.length,
    generated: more.tokens.length,
    rest: "",
  };
}

/**
 * Where tokens begin in a text.
 * @param lead characters that the tokens have before the text: the tokenizer's own `<bos>`
 */
function offsetsOf(tokens: readonly TextToken[], lead: number, start = 0): number[] {
  let at = start - lead;
  return tokens.map(({ text }) => {
    const begins = Math.max(start, at);
    at += text.length;
    return begins;
  });
}
