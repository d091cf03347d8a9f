import { type RawReply, withoutReasoning } from "../answer/index.js";

/** Why no letter could be read from a reply, in the order in which they are looked for. */
export const UNREADABLE_REASONS = ["cut", "empty", "onlyReasoning", "withoutLetter"] as const;
export type UnreadableReason = (typeof UNREADABLE_REASONS)[number];

/** Rows without a readable letter, by reason. */
export type UnreadableCounts = Record<UnreadableReason, number>;

/** What servers call an end by their limit of tokens: OpenAI, Anthropic, Gemini, Mistral, LM Studio. */
const CUT = /^(length|max_?(output_?)?tokens|max_length|model_length|maxPredictedTokensReached|contextLengthReached)$/i;

/** Whether a reply ended at its limit of tokens. */
export const wasCut = ({ finish }: Pick<RawReply, "finish">): boolean => finish !== undefined && CUT.test(finish);

/**
 * Why a reply has no readable letter: cut at the limit of tokens, empty, nothing but reasoning, or text that names
 * none.
 */
export function whyUnreadable({
  text,
  reasoning,
  finish,
}: Pick<RawReply, "text" | "reasoning" | "finish">): UnreadableReason {
  if (wasCut({ finish })) return "cut";
  if (text.trim() === "") return reasoning?.trim() ? "onlyReasoning" : "empty";
  return withoutReasoning(text).trim() === "" ? "onlyReasoning" : "withoutLetter";
}

/**
 * Counts unreadable predictions by reason; one whose reason was not kept (an older file) counts as without a letter.
 */
export function unreadableCounts(
  predictions: Iterable<{ readonly prediction: unknown; readonly unreadable?: UnreadableReason }>,
): UnreadableCounts {
  const counts: UnreadableCounts = { cut: 0, empty: 0, onlyReasoning: 0, withoutLetter: 0 };
  for (const { prediction, unreadable = "withoutLetter" } of predictions) if (prediction === null) counts[unreadable]++;
  return counts;
}

/** Each reason in words. */
export const whyInWords: Readonly<Record<UnreadableReason, string>> = {
  cut: "cut at the limit",
  empty: "empty",
  onlyReasoning: "only reasoning",
  withoutLetter: "without a letter",
};

/** `3 cut at the limit, 1 empty`: the reasons that there are, each with its count; empty where none is unreadable. */
export const unreadableInWords = (counts: Readonly<UnreadableCounts>): string =>
  UNREADABLE_REASONS.filter((reason) => counts[reason] > 0)
    .map((reason) => `${counts[reason].toLocaleString("en")} ${whyInWords[reason]}`)
    .join(", ");
