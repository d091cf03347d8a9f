import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type Examined, examineEndpoint, type Finding } from "../src/answer/index.js";

/*
 * Servers as they are met: each is small, does one thing in its own way, and is examined over HTTP.
 */

interface Asked {
  readonly path: string;
  readonly max_tokens: number;
  readonly messages?: readonly { role: string; content: string }[];
  readonly prompt?: string;
  readonly logprobs?: boolean | number;
  readonly echo?: boolean;
}
type Send = (status: number, value: unknown, headers?: Record<string, string>) => void;
/** What a server does in its own way; `true` where it did. */
type Odd = (asked: Asked, send: Send, response: ServerResponse) => boolean | undefined;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const words = (text: string): number => text.split(/\s+/).length;
const textOf = ({ messages, prompt }: Asked): string =>
  messages?.map(({ content }) => content).join(" ") ?? prompt ?? "";

/** A good server but for what is odd. */
async function serve(odd: Odd): Promise<string> {
  const server = createServer((request: IncomingMessage, response) => {
    let body = "";
    request.on("data", (piece: Buffer) => (body += piece.toString()));
    request.on("end", () => {
      const send: Send = (status, value, headers = {}) => {
        response.writeHead(status, { "content-type": "application/json", ...headers });
        response.end(typeof value === "string" ? value : JSON.stringify(value));
      };
      const asked: Asked = { path: request.url ?? "", ...(body ? JSON.parse(body) : {}) };
      if (odd(asked, send, response)) return;
      if (asked.path === "/v1/models") return send(200, { data: [{ id: "m", max_model_len: 4096 }] });
      if (!/completions$/.test(asked.path)) return send(404, { error: "not found" });
      const count = words(textOf(asked)) + (asked.messages ? 4 + 2 * asked.messages.length : 1);
      if (count > 4096) return send(400, { error: `${count} tokens are more than the context of 4096 tokens` });
      send(200, completion(asked, "nine", count));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(
    () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

const completion = (asked: Asked, text: string, count: number, more: object = {}) => ({
  choices: [
    {
      ...(asked.messages ? { message: { role: "assistant", content: text } } : { text }),
      finish_reason: "length",
      ...more,
    },
  ],
  usage: { prompt_tokens: count, completion_tokens: Math.min(5, asked.max_tokens) },
});

const examined = async (odd: Odd, options: { model?: string; timeoutSeconds?: number } = {}): Promise<Examined> =>
  examineEndpoint(await serve(odd), { timeoutSeconds: 20, environment: {}, ...options });
const finding = ({ findings }: Examined, about: string): Finding | undefined =>
  findings.find((one) => one.about === about);

const ofChats =
  (send: (asked: Asked, send: Send, response: ServerResponse) => void): Odd =>
  (asked, reply, response) => {
    if (!asked.path.endsWith("/chat/completions")) return undefined;
    send(asked, reply, response);
    return true;
  };

describe("a server's list of models", () => {
  const models =
    (status: number, value: unknown, headers?: Record<string, string>): Odd =>
    ({ path }, send) => {
      if (!path.endsWith("/models")) return undefined;
      send(status, value, headers);
      return true;
    };

  it("that is missing, null or empty is said, and a named model is asked all the same", async () => {
    await expect(examined(models(404, { error: "no such route" }))).rejects.toMatchObject({
      message: expect.stringMatching(/has no list of models: status 404: no such route/),
      hint: expect.stringMatching(/name the model \(--model\)/),
    });
    for (const none of [{ data: [] }, { data: null }])
      await expect(examined(models(200, none))).rejects.toMatchObject({
        message: expect.stringMatching(/no model in it/),
        hint: "Load a model in the server.",
      });
    const found = await examined(models(404, { error: "no such route" }), { model: "m" });
    expect(finding(found, "list of models")).toMatchObject({ verdict: "note" });
    expect(finding(found, "chat template")?.verdict).toBe("good");
  });

  it("of 20,000 names begins with one that writes", async () => {
    const data = ["text-embedding-3", ...Array.from({ length: 20_000 }, (_, index) => `m${index}`)];
    const list = models(200, { data: data.map((id) => ({ id, max_model_len: null, context_length: "x" })) });
    const found = await examined(list);
    expect(found.model).toBe("m0");
    expect(finding(found, "model")?.said).toBe("the first of 20,001 that writes, by its name");
    await expect(examined(list, { model: "x" })).rejects.toMatchObject({
      hint: expect.stringMatching(/^It has text-embedding-3, m0, .* and 19,981 more\.$/),
    });
  });

  it.each<[string, Odd, RegExp, RegExp]>([
    [
      "a page",
      models(200, "<html><title>Welcome</title></html>", { "content-type": "text/html" }),
      /no JSON but a page: Welcome/,
      /\/v1/,
    ],
    ["an error page", models(502, "<html><title>Bad Gateway</title></html>"), /status 502: Bad Gateway/, /\/v1/],
    [
      "a refusal",
      models(401, { error: { message: "Incorrect API key" } }),
      /without a valid key.*Incorrect API key/,
      /LMSTUDIO_API_KEY/,
    ],
    [
      "a redirect",
      models(301, "", { location: "https://elsewhere.test/v1/models" }),
      /redirects \(status 301\)/,
      /redirects/,
    ],
    [
      "a body without end",
      ({ path }, _send, response) => {
        if (!path.endsWith("/models")) return undefined;
        response.writeHead(200);
        const more = (): void => {
          while (!response.destroyed && response.write(" ".repeat(1 << 20)));
        };
        response.on("drain", more);
        more();
        return true;
      },
      /is no such server/,
      /\/v1/,
    ],
  ])("that is %s is told as what it is", async (_, odd, message, hint) => {
    await expect(examined(odd)).rejects.toMatchObject({
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
  });
});

describe("a server's replies", () => {
  it.each<[string, Odd, RegExp, RegExp]>([
    [
      "streams",
      ofChats((_, send) => send(200, 'data: {"choices": []}\n\ndata: [DONE]\n')),
      /a stream of events/,
      /only streams/,
    ],
    ["pages", ofChats((_, send) => send(200, "<title>Log in</title>")), /no JSON but a page: Log in/, /base URL/],
    ["no choices", ofChats((_, send) => send(200, { choices: [] })), /without a choice/, /./],
    [
      "calls of tools",
      ofChats((asked, send) =>
        send(
          200,
          completion(asked, "", 9, { message: { content: null, tool_calls: [{}] }, finish_reason: "tool_calls" }),
        ),
      ),
      /the reply is empty.*tool_calls/,
      /calls tools/,
    ],
    [
      "nothing",
      ofChats((asked, send) => send(200, completion(asked, "", 9, { finish_reason: "stop" }))),
      /the reply is empty/,
      /./,
    ],
    ["refusals", ofChats((_, send) => send(401, { error: "who?" })), /status 401: who\?/, /LMSTUDIO_API_KEY/],
  ])("that are %s are bad, and what to do is said", async (_, odd, said, hint) => {
    const chat = finding(await examined(odd), "chat");
    expect(chat).toMatchObject({
      verdict: "bad",
      said: expect.stringMatching(said),
      hint: expect.stringMatching(hint),
    });
  });

  it("that are thoughts alone are said to be", async () => {
    const thoughts = ofChats((asked, send) =>
      send(200, completion(asked, "", 20, { message: { content: null, reasoning_content: "Hm." } })),
    );
    expect(finding(await examined(thoughts), "reasoning")).toMatchObject({
      verdict: "note",
      said: expect.stringMatching(/thinks apart from the reply.*no answer came/),
    });
  });

  it("of one token may be refused: all else is examined with more", async () => {
    const found = await examined(({ max_tokens }, send) => {
      if (max_tokens === undefined || max_tokens >= 16 || max_tokens === 5) return undefined;
      send(400, { error: "max_tokens must be at least 16" });
      return true;
    });
    expect(finding(found, "one token")).toMatchObject({ verdict: "note", said: expect.stringMatching(/at least 16/) });
    expect(finding(found, "chat template")?.verdict).toBe("good");
    expect(finding(found, "prompts that are too long")?.said).toMatch(/context of 4096/);
  });

  it("that do not come are waited for only so long", async () => {
    const found = await examined(
      ofChats(() => undefined),
      { timeoutSeconds: 0.3 },
    );
    expect(finding(found, "chat")).toMatchObject({ verdict: "bad" });
    expect(finding(found, "time")).toMatchObject({
      verdict: "bad",
      said: expect.stringMatching(/^nothing more was asked: (3 replies did not come within 0\.3 s|1\.5 s .* over)$/),
      hint: expect.stringMatching(/--timeout/),
    });
    expect(finding(found, "same reply")).toMatchObject({
      verdict: "unknown",
      said: expect.stringMatching(/not asked/),
    });
    const slow = await examined(
      ofChats((asked, send) => setTimeout(() => send(200, completion(asked, "nine", 20)), 350)),
      { timeoutSeconds: 0.5 },
    );
    expect(finding(slow, "time")?.said).toBe("nothing more was asked: 2.5 s for all questions were over");
  });
});

describe("a server's log-probabilities", () => {
  const withTokens = (tokens: (asked: Asked) => unknown): Odd =>
    ofChats((asked, send) => send(200, completion(asked, "nine", 20, { logprobs: tokens(asked) })));
  const about = "log-probabilities of chats";

  it.each<[string, (asked: Asked) => unknown, string, RegExp]>([
    ["null", () => null, "note", /^none are sent/],
    ["empty", () => ({ content: [] }), "note", /^none are sent/],
    ["no numbers", () => ({ content: [{ token: "nine", logprob: "NaN", top_logprobs: [] }] }), "bad", /^invented/],
    [
      "the reply's own alone",
      () => ({ content: [{ token: "nine", logprob: -0.1, top_logprobs: [{ token: "nine", logprob: -0.1 }] }] }),
      "note",
      /^only the reply's own/,
    ],
    [
      "the same for all",
      () => ({
        content: [
          { token: "nine", logprob: -1, top_logprobs: ["nine", "a", "b"].map((token) => ({ token, logprob: -1 })) },
        ],
      }),
      "bad",
      /same value/,
    ],
    [
      "true ones",
      (asked) => {
        const most = -0.1 - textOf(asked).length / 1e4;
        const top = ["nine", "a"].map((token, index) => ({ token, logprob: index ? -3 : most }));
        return { content: [{ token: "nine", logprob: most, top_logprobs: top }] };
      },
      "good",
      /can be true/,
    ],
  ])("that are %s", async (_, tokens, verdict, said) => {
    expect(finding(await examined(withTokens(tokens)), about)).toMatchObject({
      verdict,
      said: expect.stringMatching(said),
    });
  });

  it("that it refuses are told with its words; an echo is not expected", async () => {
    const found = await examined(({ logprobs }, send) => {
      if (!logprobs) return undefined;
      send(400, { error: "logprobs are not supported" });
      return true;
    });
    expect(finding(found, about)).toMatchObject({
      verdict: "unknown",
      said: expect.stringMatching(/are not supported/),
    });
    expect(finding(found, "log-probabilities of prompts")?.verdict).toBe("note");
  });
});

describe("a model's chat template", () => {
  const noTemplate =
    "As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat template if " +
    "the tokenizer does not define one.";

  it("that is missing is said with what to do, and all else is examined by plain texts", async () => {
    const found = await examined(ofChats((_, send) => send(400, { error: { message: noTemplate, code: 400 } })));
    expect(finding(found, "chat")).toMatchObject({
      verdict: "bad",
      hint: expect.stringMatching(/no chat template.*--chat-template.*mmmlu-lm-eval/),
    });
    // Refused as a plain text that is too long, not as a chat.
    expect(finding(found, "prompts that are too long")).toMatchObject({
      verdict: "good",
      said: expect.stringMatching(/4\d{3} tokens are more than the context/),
    });
  });

  it("that takes no system message is said", async () => {
    const found = await examined((asked, send) => {
      if (!asked.messages?.some(({ role }) => role === "system")) return undefined;
      send(400, { error: { message: "System role not supported" } });
      return true;
    });
    expect(finding(found, "system message")).toMatchObject({
      verdict: "bad",
      said: "a chat with a system message is refused: status 400: System role not supported",
      hint: expect.stringMatching(/answerer\.systemMessage=/),
    });
  });

  it("a server that answers nothing refuses no prompt for its length", async () => {
    const found = await examined(({ path }, send) => {
      if (!/completions$/.test(path)) return undefined;
      send(400, { error: "no" });
      return true;
    });
    expect(finding(found, "prompts that are too long")).toMatchObject({
      verdict: "unknown",
      said: "short ones are not answered either: status 400: no",
    });
  });
});

describe("a server's context", () => {
  const long = (asked: Asked): boolean => /completions$/.test(asked.path) && words(textOf(asked)) > 4200;

  it("whose length is not as the list says is not trusted", async () => {
    const refused = await examined((asked, send) => {
      if (!long(asked)) return undefined;
      send(400, { error: "This request of 4579 tokens is too long: the maximum context length is 2048 tokens" });
      return true;
    });
    expect(finding(refused, "context length")).toMatchObject({
      verdict: "bad",
      said: expect.stringMatching(/^4,096 tokens \(by the list of models\), but .* naming 2,048$/),
    });
    const read = await examined((asked, send) => {
      if (!long(asked)) return undefined;
      send(200, completion(asked, "nine", 4579));
      return true;
    });
    expect(finding(read, "context length")?.said).toMatch(/but a prompt of 4,579 tokens was read$/);
  });

  it("is looked for by no longer a prompt than it takes, and by a longer one only where that is quick", async () => {
    const seen: number[] = [];
    const of = (length: number | undefined, milliseconds: number): Odd =>
      function odd(asked, send) {
        if (asked.path === "/v1/models") {
          send(200, { data: [{ id: "m", ...(length ? { max_model_len: length } : {}) }] });
          return true;
        }
        if (!/completions$/.test(asked.path)) return undefined;
        const count = words(textOf(asked));
        if (count < 1000) {
          send(200, completion(asked, "nine", count + 6));
          return true;
        }
        seen.push(count);
        setTimeout(() => send(200, completion(asked, "nine", count + 6)), milliseconds);
        return true;
      };
    const read = async (length: number | undefined, milliseconds: number) => {
      seen.length = 0;
      const { said } = finding(await examined(of(length, milliseconds)), "prompts that are too long")!;
      return [said, ...seen];
    };
    expect(await read(undefined, 0)).toEqual(["a prompt of 33,006 tokens was read whole", 9000, 33_000]);
    expect(await read(131_072, 0)).toEqual(["a prompt of 33,006 tokens was read whole", 9000, 33_000]);
    expect(await read(undefined, 3500)).toEqual(["a prompt of 9,006 tokens was read whole", 9000]);
    expect(await read(2048, 0)).toEqual(["a prompt of 2,323 tokens was read whole", 2317]);
  });

  it("that it breaks down on is no refusal", async () => {
    const fails = await examined((asked, send) => {
      if (!long(asked)) return undefined;
      send(500, { error: "out of memory" });
      return true;
    });
    expect(finding(fails, "prompts that are too long")).toMatchObject({
      verdict: "note",
      said: "the server fails on them: status 500: out of memory",
    });
    const gone = await examined((asked, _send, response) => {
      if (!long(asked)) return undefined;
      response.destroy();
      return true;
    });
    expect(finding(gone, "prompts that are too long")).toMatchObject({ verdict: "unknown" });
  });
});
