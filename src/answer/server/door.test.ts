import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UsageError } from "../../base/errors.js";
import type { TextEngine } from "./engine.js";
import { type ModelServer, type ServeOptions, serveModel } from "./server.js";

/**
 * Who may ask, and what a request may be: over raw sockets, so that headers and bodies are as they are, well-formed or
 * not.
 */
const engine: TextEngine = {
  id: "m",
  requestsAtOnce: 4,
  longestToken: 8,
  tokenize: async () => [1],
  async generate(_request, onToken) {
    onToken({ text: "x", token: "x" });
    return "stop";
  },
  close: async () => undefined,
};
let server: ModelServer;
beforeAll(async () => {
  server = await serveModel(engine, { port: 0, apiKey: "secret", maximumBodyBytes: 200_000 });
});
afterAll(() => server.close());

interface Answer {
  readonly status: number;
  readonly headers: string;
  readonly body: any;
}

/** Sends bytes as they are, and gives the first answer. */
function send(bytes: string | Buffer, to: ModelServer = server): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(to.url).port), "127.0.0.1", () => socket.end(bytes));
    let text = "";
    socket.on("data", (piece) => (text += piece.toString()));
    socket.on("error", reject);
    socket.on("close", () => {
      const [headers = "", body = ""] = text.split("\r\n\r\n");
      const json = /application\/json/i.test(headers) && body ? JSON.parse(body) : body;
      resolve({ status: Number(headers.slice(9, 12)), headers, body: json });
    });
  });
}

const GOOD = { model: "m", messages: [{ role: "user", content: "x" }] };
const HEADERS = ["Host: localhost", "Authorization: Bearer secret", "Content-Type: application/json"];

function post(body: unknown, { headers = HEADERS, path = "/v1/chat/completions", to = server } = {}): Promise<Answer> {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const head = [`POST ${path} HTTP/1.1`, ...headers, `Content-Length: ${bytes.length}`, "Connection: close", "", ""];
  return send(Buffer.concat([Buffer.from(head.join("\r\n")), bytes]), to);
}
const get = (path: string, headers: readonly string[], method = "GET", to = server): Promise<Answer> =>
  send([`${method} ${path} HTTP/1.1`, ...headers, "Connection: close", "", ""].join("\r\n"), to);

describe("a web page", () => {
  it.each([
    ["asks under a name of its own (DNS rebinding)", ["Host: evil.example:1234"]],
    ["asks from its own origin", ["Host: localhost", "Origin: https://evil.example"]],
    ["asks from a sandbox", ["Host: localhost", "Origin: null"]],
    ["asks from another port of this machine", ["Host: localhost:1234", "Origin: http://localhost:3000"]],
    ["embeds an answer", ["Host: localhost", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"]],
  ])("that %s hears nothing, with the key or without", async (_what, headers) => {
    for (const path of ["/v1/models", "/health", "/"]) {
      const { status, body } = await get(path, [...headers, "Authorization: Bearer secret"]);
      expect([status, body.error.type]).toEqual([403, "invalid_request_error"]);
    }
    const asked = await post(GOOD, { headers: [...headers, ...HEADERS.slice(1)] });
    expect(asked.status).toBe(403);
    expect(asked.headers).not.toMatch(/access-control/i);
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", ""])(
    "cannot send a body as %j, which it may do without asking first",
    async (type) => {
      const headers = [...HEADERS.slice(0, 2), ...(type ? [`Content-Type: ${type}`] : [])];
      expect((await post(GOOD, { headers })).status).toBe(415);
    },
  );

  it("asks beforehand, and is told nothing that would let it in", async () => {
    const { status, headers } = await get("/v1/chat/completions", ["Host: localhost"], "OPTIONS");
    expect(status).toBe(204);
    expect(headers).toMatch(/allow: GET, HEAD, POST, OPTIONS/i);
    expect(headers).not.toMatch(/access-control/i);
    const before = ["Host: localhost", "Origin: https://evil.example", "Access-Control-Request-Method: POST"];
    expect((await get("/v1/chat/completions", before, "OPTIONS")).status).toBe(403);
  });

  it("of an allowed origin asks, and reads answers and errors", async () => {
    const own = await serveModel(engine, { port: 0, allowedOrigins: ["https://lab.example"] });
    const from = ["Host: localhost", "Origin: https://lab.example"];
    const before = [...from, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type"];
    const asked = await get("/v1/chat/completions", before, "OPTIONS", own);
    expect(asked.status).toBe(204);
    for (const header of ["origin: https://lab.example", "methods: GET, POST", "headers: content-type"])
      expect(asked.headers).toContain(`access-control-allow-${header}`);
    const answer = await post(GOOD, { headers: [...from, "Content-Type: application/json; charset=UTF-8"], to: own });
    expect([answer.status, answer.headers]).toEqual([
      200,
      expect.stringMatching(/allow-origin: https:\/\/lab.example/),
    ]);
    const wrong = await post("{", { headers: [...from, "Content-Type: application/json"], to: own });
    expect([wrong.status, wrong.headers]).toEqual([400, expect.stringMatching(/allow-origin: https:\/\/lab.example/)]);
    await own.close();
  });
});

describe("the key", () => {
  it.each(["", "Bearer", "Bearer ", "Bearer secre", "Bearer secret2", "Bearer  wrong", "Basic secret", "secret"])(
    "is not %j",
    async (authorization) => {
      const headers = ["Host: localhost", ...(authorization ? [`Authorization: ${authorization}`] : [])];
      const { status, body } = await get("/v1/models", headers);
      expect([status, body.error.code]).toEqual([401, "invalid_api_key"]);
    },
  );

  const serving = (options: Partial<ServeOptions>): Promise<ModelServer> => serveModel(engine, { port: 0, ...options });

  it.each(["0.0.0.0", "::", "192.168.7.7", "lab.example"])("is needed on %s, unless a flag says not", async (host) => {
    await expect(serving({ host })).rejects.toThrow(UsageError);
    await expect(serving({ host })).rejects.toThrow(/other machines could ask without a key/);
  });

  it("or the flag lets the server begin there", async () => {
    for (const options of [{ apiKey: "k" }, { allowUnauthenticated: true }]) {
      const own = await serving({ host: "0.0.0.0", ...options });
      const headers = ["Host: 127.0.0.1", "Authorization: Bearer k"];
      expect((await get("/v1/models", headers, "GET", own)).status).toBe(200);
      expect((await get("/v1/models", ["Host: evil.example", ...headers.slice(1)], "GET", own)).status).toBe(403);
      await own.close();
    }
  });

  it.each([
    { apiKey: "" },
    { apiKey: "a b" },
    { apiKey: "k\n" },
    { allowedHosts: ["http://x"] },
    { allowedOrigins: ["*"] },
  ])("and names are checked before anything is served: %j", async (options) => {
    await expect(serving(options)).rejects.toThrow(UsageError);
  });
});

describe("a request that is none", () => {
  const deep = (depth: number): string => `{"model":"m","messages":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  const chat = (more: object): object => ({ ...GOOD, ...more });
  const spoken = (content: unknown, more = {}): object => ({
    model: "m",
    messages: [{ role: "user", content, ...more }],
  });

  it.each<[string, unknown, string | null]>([
    ["nothing", "", null],
    ["half of it", '{"model":"m","messages":[{"role":"us', null],
    ["two of them", `${JSON.stringify(GOOD)}${JSON.stringify(GOOD)}`, null],
    ["a number", "7", null],
    ["null", "null", null],
    ["a list", "[]", null],
    ["a text", '"x"', null],
    ["not UTF-8", Buffer.from([...Buffer.from('{"model":"'), 0xff, 0xfe, ...Buffer.from('"}')]), null],
    ["a lone half of a UTF-8 character", Buffer.from([0x22, 0xe2, 0x82, 0x22]), null],
    ["UTF-16", Buffer.from(JSON.stringify(GOOD), "utf16le"), null],
    ["nested without end", deep(90_000), "messages.0"],
    ["a number past all", JSON.stringify(chat({})).replace("}]", '}],"max_tokens":1e999'), "max_tokens"],
    ["a huge integer", chat({ max_tokens: 2 ** 60 }), "max_tokens"],
    ["a fraction of a token", chat({ max_tokens: 1.5 }), "max_tokens"],
    ["no tokens", chat({ max_tokens: 0 }), "max_tokens"],
    ["a number as text", chat({ temperature: "0" }), "temperature"],
    ["a negative temperature", chat({ temperature: -1 }), "temperature"],
    ["too many likeliest tokens", chat({ logprobs: true, top_logprobs: 21 }), "top_logprobs"],
    ["likeliest tokens without log-probabilities", chat({ top_logprobs: 2 }), "top_logprobs"],
    ["a seed that is no integer", chat({ seed: 0.5 }), "seed"],
    ["too many stop texts", chat({ stop: ["a", "b", "c", "d", "e"] }), "stop"],
    ["an endless stop text", chat({ stop: "x".repeat(1001) }), "stop"],
    ["an empty stop text", chat({ stop: [""] }), "stop.0"],
    ["stream as a number", chat({ stream: 1 }), "stream"],
    ["no model", { messages: GOOD.messages }, "model"],
    ["messages that are a text", chat({ messages: "x" }), "messages"],
    ["a message that is none", chat({ messages: [null] }), "messages.0"],
    ["content that is an object", spoken({ text: "x" }), "messages.0.content"],
    ["content that is null", spoken(null), "messages.0.content"],
    ["a tool's answer", spoken("x", { role: "tool" }), "messages.0.role"],
    ["tool calls in a message", spoken("x", { tool_calls: [{ id: "1" }] }), "messages.0.tool_calls"],
    ["tools", chat({ tools: [{ type: "function" }] }), "tools"],
    ["an unknown key", chat({ top_k: 5 }), "top_k"],
    [
      "a key that is nothing of JavaScript's",
      JSON.stringify(GOOD).replace("{", '{"__proto__":{"stream":true},'),
      "__proto__",
    ],
    ["another one", JSON.stringify(GOOD).replace("{", '{"constructor":{"prototype":{"n":2}},'), "constructor"],
    ["an unknown key of great length", chat({ ["k".repeat(100_000)]: 1 }), "k".repeat(200)],
    ["too many messages", chat({ messages: Array(2049).fill(GOOD.messages[0]) }), "messages"],
  ])("%s gets status 400 and the key", async (_what, body, param) => {
    const { status, body: answer } = await post(body as object);
    expect(answer.error).toEqual({
      message: expect.stringMatching(/^.{1,500}$/s),
      type: "invalid_request_error",
      param,
      code: expect.toSatisfy((code) => code === null || typeof code === "string"),
    });
    expect(status).toBe(400);
    expect(({} as { stream?: unknown }).stream).toBeUndefined();
    expect((await post(GOOD)).status).toBe(200);
  });

  it("what says nothing passes, and so does what only tracks", async () => {
    const message = { role: "assistant", content: "x", refusal: null, tool_calls: [], annotations: [], audio: null };
    const harmless = { tools: [], logit_bias: {}, functions: null, user: "u", store: false, metadata: { a: "b" } };
    expect((await post({ ...GOOD, messages: [GOOD.messages[0], message], ...harmless })).status).toBe(200);
    // A byte order mark is no part of the text.
    expect((await post(`\ufeff${JSON.stringify(GOOD)}`)).status).toBe(200);
  });
});

describe("HTTP", () => {
  const REST = `${HEADERS.join("\r\n")}\r\nConnection: close\r\n`;
  const body = JSON.stringify(GOOD);

  it.each([
    ["two lengths", `Content-Length: ${body.length}\r\nContent-Length: 5\r\n`],
    ["a length and chunks (request smuggling)", `Content-Length: ${body.length}\r\nTransfer-Encoding: chunked\r\n`],
    ["an encoding that hides chunks", "Transfer-Encoding: xchunked\r\n"],
    ["chunks that are not last", "Transfer-Encoding: chunked, identity\r\n"],
    ["a negative length", "Content-Length: -5\r\n"],
    ["a length with a sign", `Content-Length: +${body.length}\r\n`],
    ["a folded header", `Content-Length: ${body.length}\r\nX: a\r\n b\r\n`],
    ["a blank before the colon", `Content-Length : ${body.length}\r\n`],
    ["a NUL in a header", `Content-Length: ${body.length}\r\nX: a\0b\r\n`],
    ["a second Host", `Content-Length: ${body.length}\r\nHost: localhost\r\n`],
  ])("%s: refused, and the connection is closed", async (_what, headers) => {
    const { status } = await send(`POST /v1/chat/completions HTTP/1.1\r\n${REST}${headers}\r\n${body}`);
    expect([400, 501]).toContain(status);
  });

  it("no Host, an address in the first line, headers without end", async () => {
    expect((await send("GET /v1/models HTTP/1.1\r\nConnection: close\r\n\r\n")).status).toBe(400);
    expect((await send("GET /v1/models HTTP/1.0\r\n\r\n")).status).toBe(403);
    expect((await get("http://localhost/v1/models", HEADERS)).status).toBe(400);
    expect((await get("/v1/models", [...HEADERS, `X: ${"x".repeat(20_000)}`])).status).toBe(431);
  });

  it.each([
    ["GET", "/v1/models", 200],
    ["HEAD", "/v1/models", 200],
    ["HEAD", "/health", 200],
    ["POST", "/v1/models", 405],
    ["DELETE", "/v1/models/m", 405],
    ["GET", "/v1/chat/completions", 405],
    ["HEAD", "/v1/completions", 405],
    ["PUT", "/v1/completions", 405],
    ["TRACE", "/health", 405],
    ["GET", "/v1/models/", 200],
    ["GET", "/v1/models?x=%00", 200],
    ["GET", "/v1/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd", 404],
    ["GET", "/v1/models/../../etc/passwd", 404],
    ["GET", "/../../etc/passwd", 404],
    ["GET", "//etc/passwd", 404],
    ["GET", "/v1/models/%ff", 400],
    ["GET", "/V1/models", 404],
    ["GET", "/", 404],
  ])("%s %s: %i", async (method, path, status) => {
    const answer = await get(path, HEADERS, method);
    expect(answer.status).toBe(status);
    if (method === "HEAD") expect(answer.body).toBe("");
    if (status === 405) expect(answer.headers).toMatch(/^allow: (GET, HEAD|POST), OPTIONS$/im);
  });
});
