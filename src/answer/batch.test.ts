import { describe, expect, it } from "vitest";
import type { Row } from "../tasks/index.js";
import { batchReply, batchRequest, readBatchResult } from "./batch.js";

const row: Row = {
  id: "DE_DE/anatomy/1",
  language: "DE_DE",
  subject: "anatomy",
  index: 1,
  question: "?",
  choices: ["a", "b", "c", "d"],
  answer: "B",
};
const completion = { choices: [{ message: { content: "B" }, finish_reason: "stop" }] };

describe("batch files", () => {
  it("send a plain text to /completions and a chat to /chat/completions", () => {
    const question = { model: "m", temperature: 0, logProbabilities: true };
    const text = batchRequest("k", { rows: [row], prompt: "Answer:", maximumTokens: 3 }, question);
    expect(text).toEqual({
      custom_id: "k",
      method: "POST",
      url: "/v1/completions",
      body: { model: "m", temperature: 0, max_tokens: 3, prompt: "Answer:", logprobs: 5 },
    });
    const chat = batchRequest(
      "k",
      { rows: [row], prompt: [{ role: "user", content: "?" }], maximumTokens: 3 },
      question,
    );
    expect([chat.url, chat.body]).toEqual([
      "/v1/chat/completions",
      expect.objectContaining({ logprobs: true, top_logprobs: 20 }),
    ]);
  });

  it.each([
    ["OpenAI's", { custom_id: "k", response: { status_code: 200, body: completion }, error: null }, undefined],
    ["vLLM's", { id: "vllm-1", custom_id: "k", response: { status_code: 200, body: completion } }, undefined],
    ["an error of its own", { custom_id: "k", response: null, error: { code: "c", message: "m" } }, "m: (c)"],
    ["a text as error", { custom_id: "k", response: { status_code: 400, body: null }, error: "m" }, "status 400: m"],
    [
      "an error in the body",
      { custom_id: "k", response: { status_code: 429, body: { error: { message: "slow" } } }, error: null },
      "status 429: slow",
    ],
    ["nothing at all", { custom_id: "k", response: { status_code: 200, body: null } }, "no reply"],
  ])("of results: %s", (_name, line, fault) =>
    expect(readBatchResult(line)).toEqual(fault ? { key: "k", fault } : { key: "k", body: completion }),
  );

  it("of lines that are no results: undefined", () => {
    for (const line of [undefined, null, 1, {}, { custom_id: 3 }, { custom_id: "k", response: "x" }])
      expect(readBatchResult(line)).toBeUndefined();
  });

  it("are read as live replies are: a body that is no completion, or log-probabilities of zeros, are refused", () => {
    expect(batchReply(completion, { rows: [row] }, { logProbabilities: false })).toEqual({ text: "B", finish: "stop" });
    expect(() => batchReply({ choices: [] }, { rows: [row] }, { logProbabilities: false })).toThrow(/choice/);
    expect(() => batchReply(completion, { rows: [row] }, { logProbabilities: true })).toThrow(/none were sent/);
  });
});
