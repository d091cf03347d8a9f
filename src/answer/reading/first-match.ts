import { withoutTrailing } from "../../base/trim.js";
import { standaloneLetters } from "./python-text.js";
import { letterAmong, type Reading } from "./reading.js";
import { mayBeginReasoning, withoutLeadingReasoning } from "./reasoning.js";

const first = (text: string, labels: readonly string[]): RegExpExecArray | null => standaloneLetters(labels).exec(text);

export const firstMatch: Reading = {
  description: "the first match of \\b([A-Da-d])\\b (gemma-2-2b-finetune)",
  read: (reply, _questions, labels) => [
    letterAmong(labels, first(withoutLeadingReasoning(reply), labels)?.[0].toUpperCase()),
  ],
  settled: (partial, labels) => {
    const text = withoutLeadingReasoning(withoutTrailing(partial, "\ufffd"));
    const match = mayBeginReasoning(text) ? null : first(text, labels);
    // At the very end a letter may still become the beginning of a word.
    return match !== null && match.index + 1 < text.length;
  },
  several: false,
};
