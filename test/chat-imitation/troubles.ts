import type { Trouble } from "./server.js";

/*
 * The troubles that real servers and proxies make, one by one, with how each is told: an attempt is made again, or the
 * run ends.
 */

export const message = (fields: object): Trouble => ({ choice: { message: { role: "assistant", ...fields } } });

/** What is asked again, and how it is told. */
export const PASSING: [string, Trouble, RegExp][] = [
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
  [
    "a piece of a stream",
    { choice: { message: undefined, delta: { content: "A" }, finish_reason: "stop" } },
    /without content/,
  ],
  ["no message, and an end", { choice: { message: null } }, /without content/],
  ["a packed reply", { status: 200, body: "\u001f", headers: { "content-encoding": "gzip" } }, /packed as gzip/],
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

const context = (body: unknown, status = 400): [Trouble, RegExp] => [{ status, body }, /context of gemma.* too small/];
const missing = (body: unknown, status = 404): [Trouble, RegExp] => [{ status, body }, /does not know the model/];
/** What ends a run at once, and what is then said. */
export const FINAL: [string, Trouble, RegExp][] = [
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

/** A good reply of a letter in the shapes that servers give it. */
export const SHAPES: readonly ((letter: string) => Trouble)[] = [
  (letter) => message({ content: letter }),
  (letter) => message({ content: [{ type: "text", text: letter }] }),
  (letter) => message({ content: [{ type: "output_text", text: letter }] }),
  (letter) => message({ content: ["", letter] }),
  (letter) => message({ content: [{ type: "thinking", thinking: "A B C D" }, { text: letter }] }),
  (letter) => message({ content: letter, reasoning_content: "first A, then D" }),
  (letter) => message({ content: letter, reasoning: null, tool_calls: [], refusal: null }),
  (letter) => ({ choice: { message: undefined, text: letter } }),
  (letter) => ({ choice: { message: { content: letter }, finish_reason: "eos", logprobs: { content: null } } }),
];
