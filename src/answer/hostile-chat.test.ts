import { afterEach, describe, expect, it } from "vitest";
import { type ChatImitation, startChatImitation, type Trouble } from "../../test/chat-imitation/server.js";
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

const message = (fields: object): Trouble => ({ choice: { message: { role: "assistant", ...fields } } });

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

/** What is asked again, and how it is told. */
const PASSING: [string, Trouble, RegExp][] = [
  ["a number as content", message({ content: 7 }), /content is a number/],
  ["an object as content", message({ content: { text: "A" } }), /content is an object/],
  ["true as content", message({ content: true }), /content is a boolean/],
  ["a picture as content", message({ content: [{ type: "image_url", image_url: { url: "x" } }] }), /"image_url"/],
  ["null as a part", message({ content: [null] }), /\(null\)/],
  ["a list as a part", message({ content: [["A"]] }), /\(a list\)/],
  ["a part whose text is a number", message({ content: [{ type: "text", text: 5 }] }), /"text"/],
  ["a choice that is null", { status: 200, body: { choices: [null] } }, /choices\.0/],
  ["a message that is a text", { choice: { message: "A" } }, /choices\.0\.message/],
  ["no message", { choice: { message: null, finish_reason: null } }, /without content/],
  ["no content and no end", { choice: { message: { content: null }, finish_reason: null } }, /without content/],
  ["a refusal", message({ content: null, refusal: "I cannot" }), /refusal/],
  ["a refusal as a part", message({ content: [{ type: "refusal", refusal: "no" }] }), /refusal/],
  ["an error in the choice", { choice: { error: { message: "Provider disconnected", code: 502 } } }, /Provider disc/],
  ["choices that are none", { status: 200, body: { choices: {} } }, /without a choice/],
  ["no choices", { status: 200, body: { choices: [] } }, /without a choice/],
  ["an error beside a choice", { status: 200, body: { error: "x", choices: [{ text: "A" }] } }, /status 200: x/],
  ["an error's message alone", { status: 200, body: { object: "error", message: "boom", code: 500 } }, /boom/],
  ["a detail alone", { status: 200, body: { detail: "worker gone" } }, /worker gone/],
  ["a list", { status: 200, body: [] }, /without a choice/],
  ["null", { status: 200, body: "null" }, /without a choice/],
  ["a text", { status: 200, body: '"A"' }, /no completion: A/],
  [
    "a page",
    { status: 200, body: "<html>", headers: { "content-type": "text/html" } },
    /not whole JSON \(text\/html\)/,
  ],
  ["half a reply", { status: 200, body: '{"choices":[{"mess' }, /not whole JSON/],
  ["a stream", { status: 200, body: 'data: {"choices":[]}\n\n' }, /not whole JSON/],
  ["an empty body", { status: 200, body: "" }, /empty reply/],
  ["no content at all", { status: 204, body: "" }, /empty reply/],
  ...["error", "content_filter", "SAFETY", "abort", "cancelled", "insufficient_system_resource", "load", "timeout"].map(
    (finish): [string, Trouble, RegExp] => [
      `finish_reason ${finish}`,
      { choice: { finish_reason: finish } },
      new RegExp(`ended with "${finish}"`),
    ],
  ),
  ["LM Studio's Channel Error", { status: 400, body: { error: "Channel Error" } }, /engine failed \(Channel Error\)/],
  ["LM Studio's canceled", { status: 400, body: { error: "Operation canceled." } }, /engine failed/],
  ["a dead engine", { status: 500, body: { object: "error", message: "EngineDeadError" } }, /engine failed/],
  ["a crashed runner", { status: 500, body: { error: { message: "llama runner process has terminated" } } }, /failed/],
  ["a model that failed to load", { status: 500, body: { error: "error loading model x: no memory" } }, /unloaded/],
  ["502 of a proxy", { status: 502, body: "<html><title>Bad Gateway</title>" }, /^status 502$/],
  ["529", { status: 529 }, /^status 529$/],
  ["408", { status: 408 }, /^status 408$/],
  ["a connection cut in the middle", "cut in the middle", /connection cut/],
  ["an endless body", "endless", /more than 8 MiB|no reply within 1 s/],
  ["a length beyond all", { raw: "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n{" }, /more than 8 MiB/],
  ["silence", "silence", /no reply within 1 s/],
  ["endless informational replies", "informational without end", /informational/],
  ["no HTTP", { raw: "SSH-2.0-OpenSSH_9.2\r\n\r\n" }, /not HTTP/],
  [
    "another protocol",
    { raw: "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n" },
    /another protocol/,
  ],
  ["a bare 101", { raw: "HTTP/1.1 101 Switching Protocols\r\n\r\n" }, /./],
  ["100 alone", { raw: "HTTP/1.1 100 Continue\r\n\r\n" }, /./],
  ["garbage for chunks", { raw: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}" }, /not HTTP/],
  ["headers without end", { raw: `HTTP/1.1 200 OK\r\nx: ${"y".repeat(100_000)}\r\n\r\n` }, /headers are too long/],
  ["nothing, and the end", { raw: "" }, /connection cut/],
  ["half the length", { raw: "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{}" }, /connection cut/],
];

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

  it("is none where informational replies come first", async () => {
    const { reply, retries } = await asked("informational");
    expect([reply?.text, retries]).toEqual(["C", []]);
  });
});

const context = (body: unknown, status = 400): [Trouble, RegExp] => [{ status, body }, /context of gemma.* too small/];
const missing = (body: unknown, status = 404): [Trouble, RegExp] => [{ status, body }, /does not know the model/];
/** What ends a run at once, and what is then said. */
const FINAL: [string, Trouble, RegExp][] = [
  ["OpenAI's context", ...context({ error: { message: "This is too much", code: "context_length_exceeded" } })],
  [
    "vLLM's context",
    ...context({ object: "error", message: "This model's maximum context length is 4096 tokens.", code: 400 }),
  ],
  [
    "newer vLLM's context",
    ...context({ error: { message: "The decoder prompt (length 9) is longer than the maximum model length of 4" } }),
  ],
  [
    "llama.cpp's context",
    ...context({
      error: {
        code: 400,
        message: "the request exceeds the available context size",
        type: "exceed_context_size_error",
      },
    }),
  ],
  [
    "llama.cpp's context by type",
    ...context({ error: { code: 400, message: "no", type: "exceed_context_size_error" } }),
  ],
  ["Ollama's context", ...context({ error: "prompt too long; exceeded max context length by 12 tokens" })],
  ["LM Studio's context", "context", /too small/],
  ["a context in a detail", ...context({ detail: "maximum context length is 10" }, 422)],
  ["a context in a list of details", ...context({ detail: [{ loc: ["body"], msg: "too many tokens" }] }, 422)],
  ["a context in a message", ...context({ message: "prompt is too long" }, 413)],
  ["a context with 500", ...context({ error: "context size exceeded" }, 500)],
  ["a context with 200", ...context({ error: { message: "maximum context length is 10" } }, 200)],
  ["a context in the choice", { choice: { error: { message: "context length exceeded" } } }, /too small/],
  ["Ollama's missing model", ...missing({ error: { message: 'model "x" not found, try pulling it first' } })],
  [
    "vLLM's missing model",
    ...missing({ object: "error", message: "The model `x` does not exist.", type: "NotFoundError" }),
  ],
  [
    "LM Studio's missing model",
    ...missing({ error: { message: 'Invalid model identifier "x".', code: "model_not_found" } }, 400),
  ],
  ["a missing model in a detail", ...missing({ detail: "Model x not found" })],
  ["a missing model in a list", ...missing([{ error: { message: "model x is not supported" } }], 400)],
  ["a missing model with 200", ...missing({ error: "model 'x' not found" }, 200)],
  ["401", { status: 401, body: { message: "who?" } }, /refused the API key \(status 401\): who\?/],
  ["403", { status: 403, body: { detail: "not you" } }, /refused the API key \(status 403\): not you/],
  ["404", { status: 404, body: { detail: "Not Found" } }, /no such route \(status 404\): Not Found/],
  ["402", { status: 402, body: {} }, /quota is used up/],
  ["429 for good", { status: 429, body: { error: { code: "insufficient_quota", message: "pay" } } }, /quota/],
  [
    "422",
    { status: 422, body: { detail: [{ loc: ["body", "max_tokens"], msg: "too small" }] } },
    /body\.max_tokens: too small/,
  ],
  ["a redirect elsewhere", { status: 307, headers: { location: "http://u:p@evil.invalid/v1?key=s" } }, /evil\.invalid/],
  ["a redirect to nowhere", { status: 302 }, /nowhere/],
];

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
