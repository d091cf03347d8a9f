import { z } from "zod";
import { UserError } from "../base/errors.js";
import type { ChatReply } from "./chat-reply.js";
import { PROBES } from "./log-probabilities.js";

/*
 * Log-likelihoods of continuations from a server: `/completions` with `echo` gives back the prompt's own tokens with
 * their log-probabilities, as lm-evaluation-harness's `local-completions` asks for them.
 */

/** What `/completions` sends of an echoed prompt. */
const echoedSchema = z.object({
  tokens: z.array(z.string().max(1000)).max(1 << 20),
  token_logprobs: z.array(z.number().max(1e-6).nullable()).max(1 << 20),
});

/** What of the reply's tokens the continuation is, or why that cannot be told. */
type Found = { readonly value: number } | { readonly fault: string; readonly cut?: boolean };

/**
 * The log-likelihood of a continuation: the sum over its tokens, which are the last of the prompt's.
 * @param reply to prompt and continuation together, with one new token behind them
 * @param prompt in front of the continuation
 */
export function likelihoodOf(
  reply: Pick<ChatReply, "logprobs" | "tokens">,
  continuation: string,
  prompt: string,
): Found {
  const read = echoedSchema.safeParse(reply.logprobs);
  if (!read.success) return { fault: "it sent no log-probabilities of the prompt's tokens" };
  const { tokens, token_logprobs: values } = read.data;
  if (tokens.length !== values.length) return { fault: "it sent more tokens than log-probabilities, or fewer" };
  const texts = tokens.map((token) => token.replace(/^[▁Ġ]/, " "));
  // Some servers count a <bos> that they do not send, some leave out a new token that ends the text.
  const ends = [...new Set([reply.tokens?.prompt ?? tokens.length - 1, tokens.length - 1, tokens.length])];
  // The new token may be the continuation once more: where the tokens are the prompt's texts, these tell its end.
  const sent = ends.filter((end) => isTailOf(texts.slice(0, end), prompt + continuation));
  for (const end of sent.length > 0 ? sent : ends) {
    const begin = beginOf(texts.slice(0, end), continuation);
    if (begin === undefined) continue;
    const missing = missingFrom(texts.slice(0, end), prompt + continuation, values[0] === null);
    if (missing > 0) return { fault: `it left out ${missing} characters of the prompt that it was sent`, cut: true };
    const own = values.slice(begin, end);
    if (own.some((value) => value === null)) return { fault: "it sent null for a token of the prompt" };
    return { value: own.reduce<number>((sum, value) => sum + (value as number), 0) };
  }
  return { fault: `the last tokens of the prompt that it sent are not those of ${JSON.stringify(continuation)}` };
}

/** Characters of a prompt that are looked at. */
const TAIL = 200;

/** Whether tokens end as a text does. */
function isTailOf(texts: readonly string[], text: string): boolean {
  const tail = text.slice(-TAIL);
  let said = "";
  for (let at = texts.length - 1; at >= 0 && said.length < tail.length; at--) said = texts[at] + said;
  return said.endsWith(tail);
}

/** Where the tokens begin that make up a text's end; undefined where none begins there. */
function beginOf(texts: readonly string[], end: string): number | undefined {
  let said = "";
  for (let at = texts.length - 1; at > 0; at--) {
    said = texts[at] + said;
    if (said === end) return at;
    if (said.length >= end.length) return undefined;
  }
  return undefined;
}

/** Characters that the first token may have, which some servers leave out as it has no value. */
const FIRST_TOKEN = 16;

/**
 * How many characters of a text its tokens lack in one piece, at the beginning or in the middle: a server that cuts
 * what is too long for it measures another text. Only what every tokenizer writes alike is compared, ASCII without
 * blanks; 0 where the tokens are no such piece of the text.
 * @param whole whether the first token has nothing before it, so that none can have been left out
 */
function missingFrom(tokens: readonly string[], text: string, whole: boolean): number {
  const sent = bareOf(text);
  let said = bareOf(tokens.map(plainOf).join(""));
  // What opens a text: "<bos>", "<|begin_of_text|>".
  const opening = /^(?:<[^<>]{1,40}>|\[(?:CLS|BOS)\])/.exec(said)?.[0];
  if (opening && !sent.startsWith(opening)) said = said.slice(opening.length);
  const missing = sent.length - said.length;
  if (missing <= 0) return 0;
  let end = 0;
  while (end < said.length && said.at(-1 - end) === sent.at(-1 - end)) end++;
  if (!sent.startsWith(said.slice(0, said.length - end))) return 0;
  // Special tokens that the prompt itself holds have no text in some echoes.
  if (/^(?:<[^<>]{1,40}>)+$/.test(sent.slice(said.length - end, sent.length - end))) return 0;
  return end === said.length && !whole && missing <= FIRST_TOKEN ? 0 : missing;
}

/** A token without the forms in which bytes are written: `<0x41>`, `bytes:\xe0`. */
const plainOf = (token: string): string =>
  /^bytes:/.test(token)
    ? ""
    : token.replace(/^<0x([0-9A-F]{2})>$/i, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)));

const bareOf = (text: string): string => text.replace(/[^!-~]+/g, "");

/** What a server is asked to show that it measures prompts: two questions, each with a letter behind it. */
export const CONTINUATION_PROBES = PROBES.map(({ messages }) => ({
  prompt: messages.map(({ content }) => content).join("\n\n"),
  continuations: [" A", " B"],
}));

/**
 * Holds the likelihoods of {@link CONTINUATION_PROBES} against each other.
 * @throws {UserError} where the server does not truly measure: zeros are never scored
 */
export function requireTrueLikelihoods(found: readonly (readonly Found[])[], server: string): void {
  const all = found.flat();
  const values = all.map((one) => ("value" in one ? one.value : Number.NaN));
  const fault = all.find((one) => "fault" in one) as { fault: string; cut?: boolean } | undefined;
  const same = new Set(values).size === 1;
  if (fault || same || values.some((value) => !Number.isFinite(value)))
    throw unmeasured(server, fault ?? { fault: "different texts got the very same values" });
}

/** What is wrong with a server's measure, as an error: it cannot measure, or it cut what it was to measure. */
export const unmeasured = (server: string, { fault, cut }: { fault: string; cut?: boolean }): UserError =>
  cut
    ? new UserError(`${server} cut a prompt without saying so: ${fault}, so it would measure another text`, {
        hint: "Load the model with a longer context there, or ask with less (answerer.shots, filter.maxTokens).",
      })
    : noLikelihoods(server, fault);

/** That a server cannot measure continuations. */
export const noLikelihoods = (server: string, why: string): UserError =>
  new UserError(`${server} does not measure the tokens of a prompt (echo with logprobs in /v1/completions): ${why}`, {
    hint:
      "mmmlu serve and vLLM do, and models that run here (--model local:…); or set answerer.protocol=letters and " +
      "answerer.prompt=mmlu, which needs only the likeliest next tokens.",
  });
