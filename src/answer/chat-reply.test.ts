import { describe, expect, it } from "vitest";
import { batchReply } from "./batch.js";
import { readChatReply } from "./chat-reply.js";

const body = (model?: unknown): object => ({
  choices: [{ index: 0, message: { content: "B" }, finish_reason: "stop" }],
  ...(model === undefined ? {} : { model }),
});

describe("a reply", () => {
  it.each([
    ["gemma", undefined],
    ["gemma-2", "gemma-2"],
    ["x".repeat(300), "x".repeat(200)],
    [undefined, undefined],
    [null, undefined],
    [" ", undefined],
    [{}, undefined],
  ])("whose model is %j says who answered where that is another than was asked", (model, told) => {
    expect(readChatReply(body(model), "gemma").model).toBe(told);
    expect(batchReply(body(model), { rows: [] }, { logProbabilities: false, model: "gemma" }).model).toBe(told);
  });

  it("is the choice of number 0, wherever it stands", () => {
    const choices = ["A", "B"].map((content, at) => ({ index: 1 - at, message: { content }, finish_reason: "stop" }));
    expect(readChatReply({ choices }).text).toBe("B");
    const unnumbered = choices.map(({ index: _, ...choice }) => choice);
    expect(readChatReply({ choices: unnumbered }).text).toBe("A");
  });
});
