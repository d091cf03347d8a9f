import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import {
  type ChatImitation,
  type ImitationOptions,
  startChatImitation,
  type Trouble,
} from "../../test/chat-imitation/server.js";
import { UserError } from "../base/errors.js";
import type { Retry } from "../base/retry.js";
import type { Row } from "../tasks/index.js";
import type { AnswerRequest } from "./answerer.js";
import { type ChatServerOptions, chatServer, endpointOf } from "./chat-server.js";
import { gemma3Messages } from "./prompts.js";

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

async function imitate(options: ImitationOptions = {}): Promise<ChatImitation> {
  const imitation = await startChatImitation(options);
  running.push(imitation);
  return imitation;
}

const ask = (url: string, options: Partial<ChatServerOptions> = {}) => {
  const answerer = chatServer({
    model: "gemma-3-27b-it",
    endpoint: url,
    temperature: 0,
    logProbabilities: false,
    timeoutSeconds: 5,
    retries: 3,
    seed: 1,
    firstWaitMilliseconds: 5,
    environment: {},
    ...options,
  });
  running.unshift({ stop: () => answerer.close() });
  return answerer;
};

const row = (index: number): Row => ({
  id: `FR_FR/anatomy/${index}`,
  language: "FR_FR",
  subject: "anatomy",
  index,
  question: `Laquelle est ${index} ?`,
  choices: ["un", "deux", "trois", "quatre"],
  answer: "B",
});
const request = (...rows: Row[]): AnswerRequest => ({
  rows,
  prompt: gemma3Messages(rows),
  maximumTokens: 2 * rows.length + 10,
});

describe("a chat server", () => {
  it("is asked as §4 says", async () => {
    const bodies: unknown[] = [];
    const server = await imitate({
      reply: (asked) => {
        bodies.push(asked.body);
        expect(asked.headers.authorization).toBe("Bearer lm-studio");
        return "A\nB";
      },
      reasoning: () => "hm",
    });
    const answerer = ask(server.url);
    await answerer.prepare();
    const [reply] = await answerer.answer([request(row(1), row(2))]);
    expect(reply).toEqual({ text: "A\nB", reasoning: "hm", finish: "stop", tokens: { prompt: 100, completion: 3 } });
    expect(bodies).toEqual([
      { model: "gemma-3-27b-it", temperature: 0, max_tokens: 14, messages: gemma3Messages([row(1), row(2)]) },
    ]);
    expect(server.seen.models).toBe(1);
  });

  it("is found by option, environment, default", () => {
    expect(endpointOf("http://a/v1/", { LMSTUDIO_ENDPOINT: "http://b/v1/" })).toBe("http://a/v1/");
    expect(endpointOf(null, { LMSTUDIO_ENDPOINT: "http://b/v1/" })).toBe("http://b/v1/");
    expect(endpointOf(null, {})).toBe("http://localhost:1234/v1/");
  });

  it.each([
    ["localhost:PORT", true],
    ["127.0.0.1:PORT/v1", true],
    ["http://localhost:PORT", true],
    ["http://127.0.0.1:PORT/v1/chat/completions", true],
    ["http://127.0.0.1:PORT/v1/?key=secret", true],
    ["http://127.0.0.1:PORT/elsewhere", false],
  ])("is found as users write it, or they are told: %s", async (written, works) => {
    const server = await imitate({ reply: () => "C" });
    const answerer = ask(written.replace("PORT", new URL(server.url).port));
    expect(answerer.description).not.toContain("secret");
    const failure = (await answerer.prepare().catch((error: unknown) => error)) as UserError | undefined;
    if (!works) return expect(failure?.hint).toMatch(/usually ends in \/v1\//);
    expect(failure).toBeUndefined();
    expect((await answerer.answer([request(row(1))]))[0]?.text).toBe("C");
  });

  it("gets in by a user and password of its address, unless there is a key", async () => {
    const seen: unknown[] = [];
    const server = await imitate({ reply: ({ headers }) => `${seen.push(headers.authorization)}` });
    const address = server.url.replace("://", "://user:p%40ss@");
    await ask(address).answer([request(row(1))]);
    await ask(address, { apiKey: "key" }).answer([request(row(1))]);
    expect(seen).toEqual([`Basic ${Buffer.from("user:p@ss").toString("base64")}`, "Bearer key"]);
    expect(ask(address).description).toBe(`gemma-3-27b-it on ${server.url.slice(0, -1)}`);
  });

  it("that is no address is told without its password", () => {
    for (const address of ["http://user:secret@", "ftp://user:secret@host/", "http://user:secret@[::1"])
      expect(() => ask(address)).toThrow(/^(?!.*secret).*answerer\.endpoint is no address/);
  });

  it("gets the key of the environment", async () => {
    const server = await imitate({ apiKey: "secret" });
    await ask(server.url, { environment: { LMSTUDIO_API_KEY: "secret" } }).prepare();
    await expect(ask(server.url).prepare()).rejects.toThrow(/refused the API key \(status 401\): Incorrect API key/);
  });

  it("that has not the model is an error that lists what is there", async () => {
    const server = await imitate({ models: ["gemma-2", "qwen"] });
    const error = (await ask(server.url)
      .prepare()
      .catch((thrown: unknown) => thrown)) as UserError;
    expect(error.message).toBe(`${server.url.slice(0, -1)} has no model "gemma-3-27b-it"`);
    expect(error.hint).toContain("gemma-2, qwen");
  });

  it("that is not there, or is no such server, is told at once", async () => {
    const server = await imitate();
    await server.stop();
    // A wait would outlast the test.
    await expect(ask(server.url, { retries: 10, firstWaitMilliseconds: 1e9 }).prepare()).rejects.toThrow(
      /no server answers at .* \(ECONNREFUSED\)/,
    );
    const page = await other(
      (_, response) => void response.writeHead(200, { "content-type": "text/html" }).end("<html>"),
    );
    await expect(ask(page).prepare()).rejects.toThrow(/sent no list of models/);
    const nothing = await other((_, response) => void response.writeHead(404).end("no"));
    await expect(ask(nothing).prepare()).rejects.toThrow(/has no list of models/);
  });

  async function other(handler: Parameters<typeof createServer>[1]): Promise<string> {
    const server: Server = createServer(handler as Parameters<typeof createServer>[0] & object);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    running.push({ stop: () => new Promise((resolve) => void server.close(() => resolve()).closeAllConnections()) });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  describe("in trouble", () => {
    const passing: [string, Trouble, string][] = [
      ["429", { status: 429, headers: { "retry-after": "0.01" } }, "429 too many requests"],
      ["500", { status: 500 }, "status 500"],
      ["503 of a proxy", { status: 503, body: "<html>" }, "status 503"],
      ["a connection cut before the reply", "cut", "connection cut (ECONNRESET)"],
      ["a connection cut in the reply", "cut in the middle", "connection cut (ECONNRESET)"],
      ["a model that was unloaded", "model unloaded", "model unloaded"],
      [
        "an error with status 200",
        "error in the body",
        "the server's engine failed (The model has crashed without additional information. (Exit code: 6))",
      ],
    ];
    it.each(passing)("asks again after %s", async (_, trouble, reason) => {
      const server = await imitate({ trouble: ({ number }) => (number < 2 ? trouble : undefined), reply: () => "C" });
      const retries: Retry[] = [];
      const [reply] = await ask(server.url).answer([request(row(1))], {
        onRetry: (_request, retry) => retries.push(retry),
      });
      expect(reply?.text).toBe("C");
      expect(retries.map((retry) => retry.reason)).toEqual([reason, reason]);
      expect(server.seen.completions).toBe(3);
    });

    it("waits as long as a 429 says, not as long as it says without sense", async () => {
      for (const [after, least, most] of [
        ["0.2", 190, 210],
        ["100000", 0, 20],
      ] as const) {
        const server = await imitate({
          trouble: ({ number }) => (number === 0 ? { status: 429, headers: { "retry-after": after } } : undefined),
        });
        const retries: Retry[] = [];
        await ask(server.url).answer([request(row(1))], { onRetry: (_request, retry) => retries.push(retry) });
        expect(retries[0]?.waitMilliseconds).toBeGreaterThanOrEqual(least);
        expect(retries[0]?.waitMilliseconds).toBeLessThanOrEqual(most);
      }
    });

    it("asks again where no reply comes in time", async () => {
      const server = await imitate({
        trouble: ({ number }) => (number === 0 ? "silence" : undefined),
        reply: () => "D",
      });
      const retries: Retry[] = [];
      const [reply] = await ask(server.url, { timeoutSeconds: 1 }).answer([request(row(1))], {
        onRetry: (_request, retry) => retries.push(retry),
      });
      expect(reply?.text).toBe("D");
      expect(retries.map((retry) => retry.reason)).toEqual(["no reply within 1 s"]);
    });

    it("gives up, naming row and reason", async () => {
      const server = await imitate({ trouble: () => ({ status: 500 }) });
      await expect(ask(server.url).answer([request(row(1), row(2))])).rejects.toThrow(
        /did not answer FR_FR\/anatomy\/1 and 1 more in 4 attempts; the last one: status 500/,
      );
      expect(server.seen.completions).toBe(4);
    });

    it.each<[string, Trouble, RegExp, RegExp]>([
      [
        "401",
        { status: 401, body: { error: { message: "bad key" } } },
        /refused the API key \(status 401\): bad key/,
        /LMSTUDIO_API_KEY/,
      ],
      [
        "403",
        { status: 403, body: { error: "forbidden" } },
        /refused the API key \(status 403\): forbidden/,
        /LMSTUDIO_API_KEY/,
      ],
      [
        "a context that is too small",
        "context",
        /context of gemma-3-27b-it .* is too small/,
        /longer context|questionsPerRequest/,
      ],
      [
        "OpenAI's context error",
        {
          status: 400,
          body: {
            error: { message: "This model's maximum context length is 4096 tokens.", code: "context_length_exceeded" },
          },
        },
        /too small/,
        /longer context/,
      ],
      [
        "a model that is gone",
        {
          status: 404,
          body: { error: { message: "The model `gemma-3-27b-it` does not exist", code: "model_not_found" } },
        },
        /does not know the model/,
        /Load it/,
      ],
      [
        "a model without a chat template, as vLLM says it",
        {
          status: 400,
          body: {
            error: {
              message:
                "As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat " +
                "template if the tokenizer does not define one.",
              type: "BadRequestError",
              code: 400,
            },
          },
        },
        /cannot put a chat to gemma-3-27b-it: As of transformers/,
        /no chat template.*mmmlu-lm-eval/,
      ],
      [
        "a template without a system role",
        { status: 400, body: { error: { message: "System role not supported" } } },
        /cannot put a chat to/,
        /answerer\.systemMessage=/,
      ],
      [
        "any other refusal",
        { status: 422, body: { error: { message: "temperature must be > 0" } } },
        /status 422: temperature must be > 0/,
        /kept/,
      ],
    ])("ends at once after %s", async (_, trouble, message, hint) => {
      const server = await imitate({ trouble: () => trouble });
      const error = (await ask(server.url)
        .answer([request(row(1))])
        .catch((thrown: unknown) => thrown)) as UserError;
      expect(error).toBeInstanceOf(UserError);
      expect(error.message).toMatch(message);
      expect(error.hint).toMatch(hint);
      expect(server.seen.completions).toBe(1);
    });

    it("drops what is under way when aborted", async () => {
      const server = await imitate({ trouble: () => "silence" });
      const abort = new AbortController();
      const waiting = ask(server.url).answer([request(row(1))], { signal: abort.signal });
      setTimeout(() => abort.abort(), 50);
      await expect(waiting).rejects.toThrow();
    });
  });

  describe("with log-probabilities", () => {
    it("that truly sends them gives those of the letters", async () => {
      const server = await imitate({ logProbabilities: "true", reply: () => "C" });
      const answerer = ask(server.url, { logProbabilities: true });
      await answerer.prepare();
      const [reply] = await answerer.answer([request(row(1))]);
      const logs = reply?.logProbabilities as readonly number[];
      expect(logs).toHaveLength(4);
      expect(logs.indexOf(Math.max(...logs))).toBe(2);
      expect(logs.reduce((sum, log) => sum + Math.exp(log), 0)).toBeCloseTo(1 / 1.05, 6);
    });
    it("probes and reads them where plain texts are asked", async () => {
      const server = await imitate({ logProbabilities: "true", reply: () => "C" });
      const answerer = ask(server.url, { logProbabilities: true, prompts: "text" });
      await answerer.prepare();
      const [reply] = await answerer.answer([{ rows: [row(1)], prompt: "Question: …", maximumTokens: 3 }]);
      expect(reply?.logProbabilities?.indexOf(Math.max(...reply.logProbabilities))).toBe(2);
      const silent = await imitate({ logProbabilities: "none", reply: () => "C" });
      await expect(ask(silent.url, { logProbabilities: true, prompts: "text" }).prepare()).rejects.toThrow(
        /none were sent/,
      );
    });
    it.each([
      ["none", /none were sent/],
      ["zeros", /same value/],
      ["the same for all", /two different questions/],
    ] as const)("that sends %s is refused before the first question", async (logProbabilities, message) => {
      const server = await imitate({ logProbabilities, reply: () => "B" });
      await expect(ask(server.url, { logProbabilities: true }).prepare()).rejects.toThrow(message);
    });
  });
});
