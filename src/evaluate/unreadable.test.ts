import { describe, expect, it } from "vitest";
import { evaluationMetrics } from "./metrics.js";
import { unreadableCounts, unreadableInWords, whyUnreadable } from "./unreadable.js";

describe("why a reply is unreadable", () => {
  it.each([
    ["cut", { text: "The answer might be", finish: "length" }],
    ["cut", { text: "", reasoning: "hm", finish: "length" }],
    ["cut", { text: "<think>hm", finish: "MAX_TOKENS" }],
    ["cut", { text: "x", finish: "maxPredictedTokensReached" }],
    ["empty", { text: "", finish: "stop" }],
    ["empty", { text: " \n\t", reasoning: "  " }],
    ["onlyReasoning", { text: "", reasoning: "Is it B? Perhaps.", finish: "stop" }],
    ["onlyReasoning", { text: "<think>Is it B?</think>\n", finish: "stop" }],
    ["onlyReasoning", { text: "<think>Is it B?" }],
    ["withoutLetter", { text: "I cannot tell.", finish: "stop" }],
    ["withoutLetter", { text: "<think>hm</think> I cannot tell." }],
    ["withoutLetter", { text: "I cannot tell.", finish: "stopped at length" }],
  ] as const)("%s: %j", (reason, reply) => {
    expect(whyUnreadable(reply)).toBe(reason);
  });

  it("is counted, and told in words", () => {
    const row = { subject: "anatomy", language: "DE_DE", answer: "A" } as const;
    const predictions = [
      { ...row, prediction: "A" as const },
      { ...row, prediction: null, unreadable: "cut" as const },
      { ...row, prediction: null, unreadable: "cut" as const },
      { ...row, prediction: null, unreadable: "empty" as const },
      // Of a version that kept no reason.
      { ...row, prediction: null },
    ];
    const counts = { cut: 2, empty: 1, onlyReasoning: 0, withoutLetter: 1 };
    expect(unreadableCounts(predictions)).toEqual(counts);
    expect(evaluationMetrics(predictions)).toMatchObject({ unreadable: 4, unreadableBy: counts });
    expect(unreadableInWords(counts)).toBe("2 cut at the limit, 1 empty, 1 without a letter");
    expect(unreadableInWords({ cut: 0, empty: 0, onlyReasoning: 0, withoutLetter: 0 })).toBe("");
  });
});
