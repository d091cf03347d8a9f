import type { Reading } from "./reading.js";
import { withoutReasoning } from "./reasoning.js";
import { beforeNextQuestion, firstTurn } from "./robust/boundaries.js";
import { settledOption } from "./robust/claims.js";
import { answerOf, isRecord, jsonIn } from "./robust/json.js";
import { ALL_LABELS } from "./robust/labels.js";
import { readSeveral } from "./robust/list.js";
import { withoutNakedChannels } from "./robust/naked-channels.js";
import { normalized, plain } from "./robust/plain.js";

/**
 * Our own reading of replies that do not keep to the form, for 2 to 10 options. It would rather say "unreadable" than
 * guess. Thoughts go, the reply ends where another turn or question begins, and a letter is taken only from where an
 * answer stands: what is claimed ("Answer: C", "C est correcte", "应选C", \boxed{C}) in English or one of MMMLU's
 * languages, a letter alone on the first or last line, "C) …" in the first, else the one letter that the whole reply
 * speaks of. Claims that contradict each other are none unless the text corrects itself; options that are rejected are
 * none. Of a text of more than 64 K characters only the first 8 K and the last 56 K are read.
 */
export const robust: Reading = {
  description:
    'our own: the letter after "Answer:" in any of the languages, alone on a line, or the only one spoken of; ' +
    "thoughts, further turns, rejected options, formatting, articles and other scripts seen through",
  read(reply, questions, labels) {
    const turn = normalized(firstTurn(withoutNakedChannels(withoutReasoning(reply))));
    if (questions === 1) return [readOne(turn, labels)];
    const { text } = beforeNextQuestion(turn, questions);
    return readSeveral(text, plain(text), questions, (answer) => readAnswer(answer, labels));
  },
  settled: () => false,
  several: true,
};

function readOne(turn: string, labels: readonly string[]): string | null {
  const { text, beginsWithQuestion } = beforeNextQuestion(turn);
  if (beginsWithQuestion) return null;
  const json = jsonIn(text);
  if (isRecord(json)) {
    const answer = answerOf(json);
    if (typeof answer === "string") return readAnswer(plain(answer), labels);
  }
  return readAnswer(plain(text), labels);
}

function readAnswer(text: string, labels: readonly string[]): string | null {
  const index = settledOption(text, Math.min(labels.length, ALL_LABELS.length));
  return index < 0 ? null : labels[index]!;
}
