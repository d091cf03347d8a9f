import type { Prediction } from "../prediction.js";
import { isCorrect } from "../statistics/cluster.js";

/** What came of a row, from the best to the least that can be said. */
export const REPLY_KINDS = [
  "right",
  "wrong letter",
  "another letter",
  "refused",
  "without a letter",
  "only reasoning",
  "empty",
  "cut",
] as const;
export type ReplyKind = (typeof REPLY_KINDS)[number];

/** How refusals and apologies begin or what they hold, in MMMLU's languages and English; in small letters. */
const REFUSALS = [
  ..."i cannot|i can't|i can’t|i'm sorry|i’m sorry|i am sorry|i won't|unable to answer|as an ai".split("|"),
  ..."ich kann nicht|kann ich nicht|es tut mir leid|tut mir leid".split("|"),
  ..."je ne peux pas|désolé|lo siento|no puedo|não posso|desculpe|sinto muito|mi dispiace|non posso".split("|"),
  ..."maaf|saya tidak dapat|saya tidak bisa|samahani|siwezi|má bínú|mi ò lè".split("|"),
  ..."عذر|آسف|لا أستطيع|لا يمكنني|क्षमा|माफ़|दुःखित|দুঃখিত|申し訳|お答えできません|죄송|답변할 수 없|抱歉|对不起|无法回答".split(
    "|",
  ),
];

/** A reply that is one letter and nothing else, of whatever script: an option's letter in another alphabet, or none. */
const LONE_LETTER = /^[\s"'`*([]*\p{L}\p{M}?[\s"'`*)\].:。،]*$/u;

/** What came of a row: of unreadable replies why, refusals and letters that are no option's told apart. */
export function replyKind(one: Prediction): ReplyKind {
  if (one.prediction !== null) return isCorrect(one) ? "right" : "wrong letter";
  switch (one.unreadable ?? "withoutLetter") {
    case "cut":
      return "cut";
    case "empty":
      return "empty";
    case "onlyReasoning":
      return "only reasoning";
    default: {
      const said = one.reply.slice(0, 2000);
      if (LONE_LETTER.test(said.slice(0, 40)) && said.length <= 40) return "another letter";
      const small = said.toLowerCase();
      return REFUSALS.some((words) => small.includes(words)) ? "refused" : "without a letter";
    }
  }
}
