import { z } from "zod";
import { UserError } from "../base/errors.js";
import { trimmedOf } from "../base/trim.js";
import { type Letter, mmmlu } from "../tasks/index.js";
import type { RawReply } from "./answerer.js";
import type { ChatMessage } from "./prompts.js";
import { readLetter } from "./reading/index.js";
import { spokenStretches } from "./reading/reasoning.js";

/** A logarithm of a probability; JSON has no −∞, and servers send null for it. */
const logarithm = z
  .number()
  .max(1e-6)
  .nullable()
  .transform((value) => (value === null ? Number.NEGATIVE_INFINITY : Math.min(value, 0)));

const alternative = z.object({ token: z.string().max(1000), logprob: logarithm });

/** A token's log-probability as OpenAI's format has it. */
const tokenSchema = z.object({
  token: z.string().max(1000),
  logprob: logarithm,
  top_logprobs: z.array(alternative).max(10_000).nullish(),
});

/** The older format of `/completions`. */
const completionSchema = z.object({
  tokens: z.array(z.string()),
  token_logprobs: z.array(z.unknown()),
  top_logprobs: z.array(z.record(z.string(), z.unknown()).nullable()).nullish(),
});

/** How many of the most probable tokens are asked for: the most that OpenAI's format allows. */
export const TOP_LOG_PROBABILITIES = 20;

/**
 * Two items with known and different answers: what a server sends for both alike, it has not computed. They are not of
 * one length, so that they differ for a vocabulary that knows none of their words.
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

/** The tokens of a choice's `logprobs`, unchecked, from the chat format or from the older one of `/completions`. */
export function tokensOf(logprobs: unknown): unknown {
  const older = completionSchema.safeParse(logprobs);
  if (!older.success) return (logprobs as { content?: unknown } | null | undefined)?.content;
  const { tokens, token_logprobs: values, top_logprobs: tops } = older.data;
  return tokens.map((token, index) => ({
    token,
    logprob: values[index],
    top_logprobs: Object.entries(tops?.[index] ?? {}).map(([other, logprob]) => ({ token: other, logprob })),
  }));
}

/** A fault that is no invention: a token's own value was sent alone. */
export const ONLY_ITS_OWN = "the most probable other tokens were not sent";

/** What is wrong with the log-probabilities of one reply at temperature 0; undefined where they can be true. */
export function faultOf(content: unknown, text: string): string | undefined {
  if (!Array.isArray(content) || content.length === 0) return "none were sent";
  const read = z.array(tokenSchema).safeParse(content);
  if (!read.success) return "a token's value is not the logarithm of a probability";
  for (const { logprob, top_logprobs: top } of read.data) {
    if (!Number.isFinite(logprob)) return "a token's value is not the logarithm of a probability";
    if (!top || top.length < 2) return ONLY_ITS_OWN;
    if (top.every((other) => other.logprob === top[0]!.logprob)) return "all tokens at a place have the same value";
    if (sumOf(top) > 1.01) return "the probabilities at a place add up to more than 1";
  }
  // Reasoning and trimmed blanks may be left out of the text, but an answer's own tokens may not be other ones.
  const said = read.data.map(({ token }) => token).join("");
  if (text.trim() !== "" && !said.includes(text.trim())) return "the tokens are not those of the reply";
  return undefined;
}

const sumOf = (tokens: readonly { readonly logprob: number }[]): number =>
  tokens.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0);

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
      hint: "Set answerer.logprobs=false, or ask a server that has them, such as mmmlu serve.",
    });
  }
}

/**
 * The log-probabilities of the options' letters at the token that gives a reply's answer, of the letter that the reply
 * is read as. Tokens of reasoning, whether the server left it in the text or not, are passed over. A letter
 * that is not among the tokens sent, or has no probability at all, gets the lowest finite value sent: it can have no
 * more.
 * @param content the tokens as the server sent them ({@link tokensOf})
 * @param text the reply that they belong to
 * @param letters the options' letters, from A on
 * @returns undefined where the reply gives no letter, or what was sent for it are no log-probabilities
 */
export function letterLogProbabilities(
  content: unknown,
  text: string,
  letters: readonly Letter[] = mmmlu.letters,
): number[] | undefined {
  const answer = readLetter("robust", text, letters);
  if (answer === null || !Array.isArray(content)) return undefined;
  return lettersAt(placeOf(content, text, answer, letters), letters);
}

/**
 * The log-probabilities of the options' letters as the next token, from the first of a reply's tokens; a letter that is
 * not among those sent gets the lowest finite value sent.
 * @returns undefined where none of the letters is among them, or what was sent are no log-probabilities
 */
export function nextTokenLetters(content: unknown, letters: readonly Letter[]): number[] | undefined {
  if (!Array.isArray(content)) return undefined;
  const first = tokenSchema.safeParse(content[0]);
  if (!first.success) return undefined;
  const sent = [first.data, ...(first.data.top_logprobs ?? [])];
  const anyIsLetter = sent.some(
    ({ token, logprob }) => Number.isFinite(logprob) && letters.some((letter) => isLetter(token, letter)),
  );
  return anyIsLetter ? lettersAt(content[0], letters) : undefined;
}

/** What the next token says of the letters: the likeliest of them; the token itself where it says nothing of them. */
export function letterReply(
  content: unknown,
  text: string,
  letters: readonly Letter[],
): Pick<RawReply, "text" | "logProbabilities"> {
  const logProbabilities = nextTokenLetters(content, letters);
  return logProbabilities ? { text: likeliestLetter(logProbabilities, letters), logProbabilities } : { text };
}

/** The letter of the largest of some log-probabilities, from A on; the first of equals, as numpy's `argmax`. */
export const likeliestLetter = (values: readonly number[], letters: readonly Letter[]): Letter =>
  letters[values.indexOf(Math.max(...values))]!;

/** The letters' log-probabilities at one token as it was sent. */
function lettersAt(token: unknown, letters: readonly Letter[]): number[] | undefined {
  const place = tokenSchema.safeParse(token);
  if (!place.success) return undefined;
  const { token: chosen, logprob, top_logprobs: listed } = place.data;
  if (!listed?.length) return undefined;
  // Some servers list a token twice, some not the one that was chosen.
  const top = new Map(listed.map((one) => [`${one.token}\0${one.logprob}`, one]));
  const all = [...top.values()];
  if (!all.some(({ token }) => token === chosen)) all.push({ token: chosen, logprob });
  const finite = all.filter((one) => Number.isFinite(one.logprob));
  if (finite.length === 0 || sumOf(finite) > 1.01) return undefined;
  const lowest = Math.min(...finite.map((one) => one.logprob));
  return letters.map((letter) => {
    // " A" and "A" are two tokens for one answer.
    const mass = sumOf(finite.filter(({ token }) => isLetter(token, letter)));
    return mass > 0 ? Math.min(Math.log(mass), 0) : lowest;
  });
}

/** Places that are tried at most: each is a reading of all before it. */
const TRIED = 16;

/**
 * The token, unchecked but for its text, that gives a letter in what a reply says: the first of this letter behind
 * which the reply may end and be read alike, as in "Between B and C: B"; the first of all where there is none.
 * Undefined where no token is that letter.
 */
function placeOf(content: readonly unknown[], text: string, answer: Letter, letters: readonly Letter[]): unknown {
  const texts = content.map((token) => {
    const own = (token as { token?: unknown } | null)?.token;
    return typeof own === "string" ? own.replace(/^[▁Ġ]/, " ") : undefined;
  });
  const said = texts.map((own) => own ?? "\ufffd").join("");
  const found = said.lastIndexOf(text.trim());
  const reply = found < 0 ? { start: 0, end: said.length } : { start: found, end: found + text.trim().length };
  const spoken = spokenStretches(said).filter(({ start, end }) => start < reply.end && end > reply.start);
  const places: { token: unknown; end: number }[] = [];
  let [at, stretch] = [0, 0];
  for (const [index, own] of texts.entries()) {
    const letter = own === undefined ? -1 : own.indexOf(answer);
    const offset = at + Math.max(letter, 0);
    while (stretch < spoken.length && spoken[stretch]!.end <= offset) stretch++;
    const inside = stretch < spoken.length && spoken[stretch]!.start <= offset;
    at += (own ?? "\ufffd").length;
    if (inside && offset >= reply.start && offset < reply.end && isLetter(own ?? "", answer))
      places.push({ token: content[index], end: at });
  }
  if (places.length < 2) return places[0]?.token;
  const telling = places
    .slice(0, TRIED)
    .find(({ end }) => readLetter("robust", said.slice(reply.start, end), letters) === answer);
  return (telling ?? places[0])!.token;
}

/** Whether a token is a letter, whatever blank, bracket or full stop its vocabulary has put to it. */
const isLetter = (token: string, letter: Letter): boolean =>
  token.length <= 16 && trimmedOf(token, " \t\n\r▁ĠĊ(\"'*.):") === letter;
