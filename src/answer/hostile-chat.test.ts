import { afterEach, describe, expect, it } from "vitest";
import { type ChatImitation, startChatImitation, type Trouble } from "../../test/chat-imitation/server.js";
import { FINAL, message, PASSING } from "../../test/chat-imitation/troubles.js";
import { UserError } from "../base/errors.js";
import type { Retry } from "../base/retry.js";
import type { Row } from "../tasks/index.js";
import type { RawReply } from "./answerer.js";
import { type ChatServerOptions, chatServer } from "./chat-server.js";
import { gemma3Messages } from "./prompts.js";

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

const row: Row = {
  id: "FR_FR/anatomy/1",
  language: "FR_FR",
  subject: "anatomy",
  index: 1,
  question: "?",
  choices: ["un", "deux", "trois", "quatre"],
  answer: "B",
};
const KEY = "sk-a-key-of-ours";

/** One question to a server that makes this trouble `times`, then answers C. */
async function asked(
  trouble: Trouble,
  times = 1,
  options: Partial<ChatServerOptions> = {},
): Promise<{ reply?: RawReply; error?: unknown; retries: Retry[]; server: ChatImitation }> {
  const server = await startChatImitation({
    trouble: ({ number }) => (number < times ? trouble : undefined),
    reply: () => "C",
  });
  const answerer = chatServer({
    model: "gemma-3-27b-it",
    endpoint: server.url,
    temperature: 0,
    logProbabilities: false,
    timeoutSeconds: 1,
    retries: 2,
    seed: 1,
    firstWaitMilliseconds: 1,
    loadingPatienceMilliseconds: 400,
    environment: {},
    apiKey: KEY,
    ...options,
  });
  running.push({ stop: () => answerer.close() }, server);
  const retries: Retry[] = [];
  try {
    const [reply] = await answerer.answer([{ rows: [row], prompt: gemma3Messages([row]), maximumTokens: 12 }], {
      onRetry: (_request, retry) => retries.push(retry),
    });
    return { reply, retries, server };
  } catch (error) {
    return { error, retries, server };
  }
}

describe("a reply in parts", () => {
  it.each<[string, Trouble, Partial<RawReply>]>([
    [
      "texts",
      message({
        content: [
          { type: "text", text: "A" },
          { type: "text", text: "B" },
        ],
      }),
      { text: "AB" },
    ],
    [
      "of a string and an output_text",
      message({ content: ["A", { type: "output_text", text: "\nB" }] }),
      { text: "A\nB" },
    ],
    ["without a type", message({ content: [{ text: "D" }] }), { text: "D" }],
    ["none", message({ content: [] }), { text: "" }],
    [
      "of thinking",
      message({
        content: [
          { type: "thinking", thinking: "C?" },
          { type: "text", text: "B" },
        ],
      }),
      { text: "B", reasoning: "C?" },
    ],
    [
      "of thinking in parts",
      message({
        content: [
          {
            type: "thinking",
            thinking: [
              { type: "text", text: "C" },
              { type: "text", text: "?" },
            ],
          },
          { type: "text", text: "B" },
        ],
      }),
      { text: "B", reasoning: "C?" },
    ],
    [
      "of reasoning",
      message({ content: [{ type: "reasoning", text: "A or " }, { type: "reasoning", summary: "D" }, { text: "B" }] }),
      { text: "B", reasoning: "A or D" },
    ],
    [
      "of a thought",
      message({ content: [{ text: "hm", thought: true }, { type: "redacted_thinking", data: "x" }, { text: "B" }] }),
      { text: "B", reasoning: "hm" },
    ],
    ["of reasoning alone", message({ content: null, reasoning: "A" }), { text: "", reasoning: "A" }],
    ["of nothing, ended", message({ content: null }), { text: "" }],
    ["in the older format", { choice: { message: undefined, text: "B" } }, { text: "B" }],
  ])("%s is read", async (_, trouble, expected) => {
    const { reply, retries, error } = await asked(trouble);
    expect(error).toBeUndefined();
    expect(retries).toEqual([]);
    expect(reply).toEqual({ finish: "stop", tokens: { prompt: 100, completion: 1 }, ...expected });
  });
});

describe("a failure", () => {
  it.each(PASSING)("as %s is never a reply: asked again, told, bounded", async (_, trouble, reason) => {
    const { reply, retries, error } = await asked(trouble);
    expect(error).toBeUndefined();
    expect(reply?.text).toBe("C");
    expect(retries).toHaveLength(1);
    expect(retries[0]?.reason).toMatch(reason);
    const always = await asked(trouble, Infinity, { timeoutSeconds: 0.3 });
    expect(always.error).toBeInstanceOf(UserError);
    expect((always.error as UserError).message).toMatch(/did not answer FR_FR\/anatomy\/1 in 3 attempts/);
    expect((always.error as UserError).hint).toMatch(/kept/);
    expect(always.retries).toHaveLength(2);
  });

  it("is none where a byte order mark comes first", async () => {
    const body = JSON.stringify({ choices: [{ message: { content: "B" }, finish_reason: "stop" }] });
    const { reply, retries } = await asked({ status: 200, body: `\ufeff${body}` });
    expect([reply?.text, retries]).toEqual(["B", []]);
  });

  // What people write where a server wants any key at all.
  it.each(["x", "B", "text", "none", "1", "content", "EMPTY"])("is none where the key is %s", async (apiKey) => {
    const content = "The text has none of 1 x EMPTY content: B";
    const { reply, retries } = await asked(message({ content }), 1, { apiKey });
    expect([reply?.text, retries]).toEqual([content, []]);
  });

  it("is none where a reply repeats the key, which is taken out of its texts", async () => {
    const apiKey = "1234567890";
    const { reply, retries } = await asked(
      { choice: { message: { content: `B ${apiKey}` }, [apiKey]: 1234567890 } },
      1,
      { apiKey },
    );
    expect([reply?.text, retries]).toEqual(["B …", []]);
  });

  it("is none where informational replies come first", async () => {
    const { reply, retries } = await asked("informational");
    expect([reply?.text, retries]).toEqual(["C", []]);
  });
});

describe("an error", () => {
  it.each(FINAL)("that nothing helps against (%s) ends the run at once with what to do", async (_, trouble, said) => {
    const { error, retries, server } = await asked(trouble, Infinity);
    expect(error).toBeInstanceOf(UserError);
    const { message: text, hint } = error as UserError;
    expect(text).toMatch(said);
    expect(text.startsWith(server.url.replace(/\/$/, "")) || text.includes(server.url.slice(0, -1))).toBe(true);
    expect(hint).toBeTruthy();
    expect(text).not.toMatch(/u:p@|key=s/);
    expect(retries).toEqual([]);
    expect(server.seen.completions).toBe(1);
  });

  it("of a server that is loading is waited for, longer than for others, and not for ever", async () => {
    const loading: Trouble = {
      status: 503,
      body: { error: { code: 503, message: "Loading model", type: "unavailable_error" } },
    };
    const { reply, retries } = await asked(loading, 7);
    expect(reply?.text).toBe("C");
    expect(retries.map(({ reason }) => reason)).toEqual(Array(7).fill("the model is loading"));
    const always = await asked(loading, Infinity);
    expect((always.error as UserError).message).toMatch(/the model is loading/);
    expect(always.retries.length).toBeGreaterThan(3);
  });

  it("shows neither terminal escapes, nor our key, nor more than a line", async () => {
    const { error } = await asked(
      { status: 422, body: { error: `bad \u001b[2J\u001b]0;title\u0007\nkey ${KEY}\r${"x".repeat(100_000)}` } },
      Infinity,
    );
    const { message: text } = error as UserError;
    expect(text).toMatch(/bad key …/);
    expect(text).not.toMatch(/[\x00-\x1f]/);
    expect(text.length).toBeLessThan(600);
  });

  it("is bounded in words where the body is without end", async () => {
    const { error } = await asked({ status: 400, body: "y".repeat(7 << 20) }, Infinity);
    expect((error as UserError).message.length).toBeLessThan(600);
  });
});
