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
    ["SGLang's, one choice", { custom_id: "k", response: { body: { choices: completion.choices[0] } } }, undefined],
    ["a proxy's, without a body", { custom_id: "k", response: completion }, undefined],
    [
      "a body as a text",
      { custom_id: "k", response: { status_code: 200, body: JSON.stringify(completion) } },
      undefined,
    ],
    ["a status as a text", { custom_id: "k", response: { status_code: "200", body: completion } }, undefined],
    [
      "a status as a text, of an error",
      { custom_id: "k", response: { status_code: "500", body: "x" } },
      "status 500: x",
    ],
    ["a code without words", { custom_id: "k", response: null, error: { code: "batch_expired" } }, "(batch_expired)"],
    ["nothing at all", { custom_id: "k", response: { status_code: 200, body: null } }, "no reply"],
  ])("of results: %s", (_name, line, fault) =>
    expect(readBatchResult(line)).toMatchObject(fault ? { key: "k", fault } : { key: "k", body: completion }),
  );

  it("of lines that are no results, such as those of requests or Anthropic's: undefined", () => {
    const [asked, question] = [
      { rows: [row], prompt: "?", maximumTokens: 3 },
      { model: "m", temperature: 0, logProbabilities: false },
    ];
    expect(readBatchResult({ custom_id: "k", result: { type: "succeeded", message: {} } })).toBeUndefined();
    for (const line of [
      undefined,
      null,
      1,
      {},
      { custom_id: 3 },
      { custom_id: "k", response: "x" },
      batchRequest("k", asked, question),
    ])
      expect(readBatchResult(line)).toBeUndefined();
  });

  it("are read as live replies are: a body that is no completion, or log-probabilities of zeros, are refused", () => {
    expect(batchReply(completion, { rows: [row] }, { logProbabilities: false })).toEqual({ text: "B", finish: "stop" });
    expect(() => batchReply({ choices: [] }, { rows: [row] }, { logProbabilities: false })).toThrow(/choice/);
    expect(() => batchReply(completion, { rows: [row] }, { logProbabilities: true })).toThrow(/none were sent/);
  });
});
