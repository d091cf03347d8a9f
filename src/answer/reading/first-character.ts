import { withoutTrailing } from "../../base/trim.js";
import { strip } from "./python-text.js";
import { letterAmong, type Reading } from "./reading.js";
import { mayBeginReasoning, withoutLeadingReasoning } from "./reasoning.js";

export const firstCharacter: Reading = {
  description: "the first character of the trimmed reply (flan-t5-finetune)",
  read: (reply, _questions, labels) => [letterAmong(labels, strip(withoutLeadingReasoning(reply)).slice(0, 1))],
  settled: (partial) => {
    // A reply cut inside a character ends in U+FFFD, which the next token turns into something else.
    const whole = withoutTrailing(partial, "\ufffd");
    return !mayBeginReasoning(whole) && strip(whole) !== "";
  },
  several: false,
};
