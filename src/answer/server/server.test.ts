import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silent } from "../../base/progress.js";
import { openDevice } from "../../graph/index.js";
import { createTinyT5, type LocalModel } from "../../models/index.js";
import { loadTokenizer, makeTokenizer, type Tokenizer } from "../../tokens/index.js";
import { chatTemplateOf } from "./chat-template.js";
import type { TextEngine } from "./engine.js";
import { localEngine } from "./local-engine.js";
import { type ModelServer, serveModel } from "./server.js";
import { StopTexts } from "./stop-texts.js";
import { workerEngine } from "./worker-engine.js";

const WORDS = "Which of these is alive ? cat dog stone table A B C D Antwort Frage größer über naïve 日本";
const folder = mkdtempSync(join(tmpdir(), "serve-"));
const modelFolder = join(folder, "model");
let tokenizer: Tokenizer;
let engine: TextEngine;
let server: ModelServer;
let client: OpenAI;
/** The local model behind the server, asked directly. */
let model: LocalModel;

beforeAll(async () => {
  makeTokenizer([WORDS], folder, { kind: "t5", size: 256 });
  tokenizer = await loadTokenizer({ source: folder });
  const device = await openDevice("cpu", { threads: 1 });
  const tiny = await createTinyT5(device, { vocabSize: tokenizer.vocabularySize, dropoutRate: 0 }, 3, {
    tokenizer: ["tokenizer.json", "tokenizer_config.json"].map((name) => join(folder, name)),
  });
  await tiny.save(modelFolder);
  model = tiny;
  engine = localEngine({ id: "tiny", model, tokenizer, chatTemplate: await chatTemplateOf(folder) });
  server = await serveModel(engine, {
    port: 0,
    apiKey: "secret",
    longestQueue: 4,
    maximumBodyBytes: 20_000,
    limits: { maximumTokens: 64, maximumPromptTokens: 200 },
  });
  client = new OpenAI({ baseURL: server.url, apiKey: "secret", maxRetries: 0 });
});
afterAll(async () => {
  await server.close();
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (content: string, more: object = {}) =>
  client.chat.completions.create({
    model: "tiny",
    messages: [{ role: "user", content }],
    temperature: 0,
    max_tokens: 8,
    ...more,
  } as OpenAI.ChatCompletionCreateParamsNonStreaming);
const raw = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(new URL(path, server.url), {
    ...init,
    headers: { authorization: "Bearer secret", "content-type": "application/json", ...init.headers },
  });

describe("the server, asked with the openai client", () => {
  it("lists its model", async () => {
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["tiny"]);
    expect((await client.models.retrieve("tiny")).id).toBe("tiny");
  });

  it("completes a text as the model does by itself", async () => {
    const prompt = "Which of these is alive ?";
    const [direct] = await model.generate([await tokenizer.encode(prompt, true)], { maximumNewTokens: 8 });
    const completion = await client.completions.create({ model: "tiny", prompt, temperature: 0, max_tokens: 8 });
    expect(completion.choices[0]!.text).toBe(await tokenizer.decode(direct!.tokens, true));
    expect(completion.usage).toMatchObject({
      completion_tokens: direct!.tokens.length,
      prompt_tokens: (await tokenizer.encode(prompt, true)).length,
    });
    expect((await ask(prompt)).choices[0]!.message.content).toBe(completion.choices[0]!.text);
  });

  it("streams the same text in pieces, and says how it ended", async () => {
    const whole = await ask("cat dog");
    let [text, pieces, finish] = ["", 0, ""];
    for await (const chunk of await client.chat.completions.create({
      model: "tiny",
      messages: [{ role: "user", content: "cat dog" }],
      temperature: 0,
      max_tokens: 8,
      stream: true,
      stream_options: { include_usage: true },
    })) {
      text += chunk.choices[0]?.delta.content ?? "";
      finish = chunk.choices[0]?.finish_reason ?? finish;
      pieces++;
      if (chunk.usage) expect(chunk.usage).toEqual(whole.usage);
    }
    expect({ text, finish }).toEqual({
      text: whole.choices[0]!.message.content,
      finish: whole.choices[0]!.finish_reason,
    });
    expect(pieces).toBeGreaterThan(4);
  });

  it("gives log-probabilities that sum to one and agree with the model's", async () => {
    const completion = await ask("stone table", { logprobs: true, top_logprobs: 20, max_tokens: 2 });
    const [first] = completion.choices[0]!.logprobs!.content!;
    expect(first!.top_logprobs).toHaveLength(20);
    expect(first!.top_logprobs[0]).toMatchObject({ token: first!.token, logprob: first!.logprob });
    const mass = first!.top_logprobs.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0);
    expect(mass).toBeGreaterThan(0.3);
    expect(mass).toBeLessThanOrEqual(1 + 1e-6);
    const idOf = new Map(
      Array.from({ length: tokenizer.vocabularySize }, (_, id) => [tokenizer.tokenOf(id)!.replaceAll("▁", " "), id]),
    );
    const [direct] = await model.letterLogProbabilities(
      [await tokenizer.encode("stone table", true)],
      first!.top_logprobs.map(({ token }) => idOf.get(token)!),
    );
    first!.top_logprobs.forEach(({ logprob }, at) => expect(logprob).toBeCloseTo(direct![at]!, 4));
  });

  it("answers the same whether asked alone or with others, and the same from the same seed", async () => {
    const alone = await ask("A B C");
    const together = await Promise.all(["cat", "A B C", "dog stone", "Frage Antwort A"].map((content) => ask(content)));
    expect(together[1]!.choices).toEqual(alone.choices);
    const draw = (seed: number) => ask("cat", { temperature: 1.5, seed, max_tokens: 16, top_p: 0.9 });
    expect((await draw(1)).choices[0]!.message.content).toBe((await draw(1)).choices[0]!.message.content);
    const texts = await Promise.all([1, 2, 3, 4].map(async (seed) => (await draw(seed)).choices[0]!.message.content));
    expect(new Set(texts).size).toBeGreaterThan(1);
  });

  it("ends at a stop text, which it leaves out", async () => {
    const whole = (await ask("dog", { max_tokens: 16 })).choices[0]!.message.content!;
    const stop = whole.slice(3, 7);
    const cut = (await ask("dog", { max_tokens: 16, stop: [stop] })).choices[0]!;
    expect(cut).toMatchObject({ finish_reason: "stop", message: { content: whole.slice(0, whole.indexOf(stop)) } });
  });
});

describe("bad requests get an error in OpenAI's shape, and the server goes on", () => {
  it.each<[string, object | string, number, RegExp]>([
    ["JSON that is none", "{not json", 400, /not JSON/],
    ["no messages", { model: "tiny", messages: [] }, 400, /messages/],
    ["a role that is none", { model: "tiny", messages: [{ role: "wizard", content: "x" }] }, 400, /messages\.0\.role/],
    [
      "a temperature out of range",
      { model: "tiny", messages: [{ role: "user", content: "x" }], temperature: 9 },
      400,
      /temperature/,
    ],
    ["several replies", { model: "tiny", messages: [{ role: "user", content: "x" }], n: 2 }, 400, /only one reply/],
    [
      "more tokens than it generates",
      { model: "tiny", messages: [{ role: "user", content: "x" }], max_tokens: 65 },
      400,
      /65 new tokens/,
    ],
    ["another model", { model: "gpt", messages: [{ role: "user", content: "x" }] }, 404, /does not exist/],
    [
      "a bias on tokens, which would change the reply",
      { model: "tiny", messages: [{ role: "user", content: "x" }], logit_bias: { 5: 100 } },
      400,
      /Unrecognized request argument supplied: logit_bias/,
    ],
    [
      "an image",
      { model: "tiny", messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] },
      400,
      /messages\.0\.content: expected a text/,
    ],
    [
      "a prompt past the server's limit",
      { model: "tiny", messages: [{ role: "user", content: "cat ".repeat(300) }] },
      400,
      /the prompt has \d+ tokens, more than the 200/,
    ],
    [
      "a body that is too large",
      { model: "tiny", messages: [{ role: "user", content: "x".repeat(30_000) }] },
      413,
      /30\d\d\d bytes/,
    ],
  ])("%s", async (_name, body, status, message) => {
    const response = await raw("chat/completions", {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    expect(response.status).toBe(status);
    const { error } = (await response.json()) as { error: { message: string; type: string } };
    expect(error.message).toMatch(message);
    expect((await ask("cat", { max_tokens: 1 })).choices).toHaveLength(1);
  });

  it("a wrong key, a route that is not there, a wrong method", async () => {
    await expect(
      new OpenAI({ baseURL: server.url, apiKey: "guess", maxRetries: 0 }).models.list(),
    ).rejects.toMatchObject({ status: 401 });
    expect((await raw("embeddings", { method: "POST", body: "{}" })).status).toBe(404);
    expect((await raw("chat/completions")).status).toBe(405);
  });

  it("a token that the model has not, a temperature next to nothing", async () => {
    const response = await raw("completions", {
      method: "POST",
      body: JSON.stringify({ model: "tiny", prompt: [5, 99_999], max_tokens: 1 }),
    });
    expect([response.status, ((await response.json()) as { error: { message: string } }).error.message]).toEqual([
      400,
      expect.stringMatching(/the token 99999, and the model only/),
    ]);
    const [cold, greedy] = [await ask("cat", { temperature: 1e-300 }), await ask("cat")];
    expect(cold.choices[0]!.message.content).toBe(greedy.choices[0]!.message.content);
  });

  it("a body that is packed, or far too large and still coming", async () => {
    expect(
      (await raw("completions", { method: "POST", body: "x", headers: { "content-encoding": "gzip" } })).status,
    ).toBe(415);
    const response = await raw("completions", { method: "POST", body: "x".repeat(1_500_000) });
    expect(response.status).toBe(413);
    expect(await response.text()).toMatch(/1500000 bytes/);
  });

  it("a client that goes away while it still sends, which is no fault to tell of", async () => {
    const told: string[] = [];
    const own = await serveModel(engine, { port: 0, log: (line) => told.push(line) });
    const { port } = new URL(own.url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), "127.0.0.1", () =>
        socket.write(
          "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: " +
            "application/json\r\nContent-Length: 1000\r\n\r\n{",
          () => socket.destroy(),
        ),
      );
      socket.on("close", () => resolve());
    });
    expect((await fetch(new URL("models", own.url))).status).toBe(200);
    await own.close();
    expect(told).toEqual([]);
  });

  it("what is not HTTP at all", async () => {
    const { port } = new URL(server.url);
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(port), "127.0.0.1", () => socket.write("hello\r\n\r\n"));
      let text = "";
      socket.on("data", (piece) => (text += piece.toString()));
      socket.on("close", () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400/);
    expect((await client.models.list()).data).toHaveLength(1);
  });

  it("a port that is taken", async () => {
    await expect(serveModel(engine, { port: Number(new URL(server.url).port) })).rejects.toThrow(/the port is taken/);
  });
});

describe("a slow model", () => {
  /** Gives a token every ten milliseconds until it is stopped, and remembers what became of it. */
  function slowEngine(released: Promise<unknown> = Promise.resolve()): TextEngine & { stopped: number; given: number } {
    const slow = {
      id: "slow",
      requestsAtOnce: 1,
      longestToken: 16,
      stopped: 0,
      given: 0,
      tokenize: async () => [1],
      async generate(
        request: { maximumTokens: number },
        onToken: (token: { text: string; token: string }) => void,
        signal: AbortSignal,
      ) {
        await released;
        for (let i = 0; i < request.maximumTokens; i++) {
          await new Promise((resolve) => setTimeout(resolve, 10));
          if (signal.aborted) {
            slow.stopped++;
            return "stop" as const;
          }
          slow.given++;
          onToken({ text: "x", token: "x" });
        }
        return "length" as const;
      },
      close: async () => undefined,
    };
    return slow;
  }

  it("stops working for a client that goes away in mid-stream, and goes on with the next", async () => {
    const slow = slowEngine();
    const own = await serveModel(slow, { port: 0 });
    try {
      const asking = new OpenAI({ baseURL: own.url, apiKey: "x", maxRetries: 0 });
      const stream = await asking.chat.completions.create({
        model: "slow",
        messages: [{ role: "user", content: "x" }],
        max_tokens: 1000,
        stream: true,
      });
      for await (const _chunk of stream) if (slow.given >= 3) break;
      stream.controller.abort();
      await expect.poll(() => slow.stopped).toBe(1);
      expect(slow.given).toBeLessThan(1000);
      const next = await asking.chat.completions.create({
        model: "slow",
        messages: [{ role: "user", content: "x" }],
        max_tokens: 2,
      });
      expect(next.choices[0]!.message.content).toBe("xx");
    } finally {
      await own.close();
    }
  });

  it("answers 429 with Retry-After where the queue is full", async () => {
    let release: (() => void) | undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const own = await serveModel(slowEngine(released), { port: 0, longestQueue: 2 });
    try {
      let refusals = 0;
      const one = () =>
        fetch(new URL("completions", own.url), {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ model: "slow", prompt: "x", max_tokens: 10 }),
        }).then((response) => {
          // All have come by then: nobody's turn ends before.
          if (response.status === 429 && ++refusals === 3) release!();
          return response;
        });
      const answers = await Promise.all(Array.from({ length: 6 }, one));
      const refused = answers.filter(({ status }) => status === 429);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
      expect(refused).toHaveLength(3);
      for (const response of refused) expect(Number(response.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    } finally {
      await own.close();
    }
  });
});

describe("a model in a thread of its own", () => {
  it("answers as in this thread, while this thread is free", async () => {
    const stages: string[] = [];
    const apart = await workerEngine({
      id: "apart",
      source: modelFolder,
      device: "cpu",
      progress: { ...silent, begin: (stage) => stages.push(stage) },
    });
    try {
      expect(stages).toContain("loading weights");
      const own = await serveModel(apart, { port: 0 });
      const asking = new OpenAI({ baseURL: own.url, apiKey: "x", maxRetries: 0 });
      const completion = await asking.completions.create({
        model: "apart",
        prompt: "cat dog",
        temperature: 0,
        max_tokens: 8,
      });
      expect(completion.choices[0]!.text).toBe(
        (await client.completions.create({ model: "tiny", prompt: "cat dog", temperature: 0, max_tokens: 8 }))
          .choices[0]!.text,
      );
      // Whatever fails there is an answer, and the thread goes on.
      await expect(
        asking.completions.create({ model: "apart", prompt: [99_999], max_tokens: 1 }),
      ).rejects.toMatchObject({ status: 400 });
      expect((await asking.completions.create({ model: "apart", prompt: "cat", max_tokens: 1 })).choices).toHaveLength(
        1,
      );
      await own.close();
    } finally {
      await apart.close();
    }
  });

  it("that ends is told, and requests get 503", async () => {
    const apart = await workerEngine({ id: "apart", source: modelFolder, device: "cpu" });
    const own = await serveModel(apart, { port: 0 });
    await apart.close();
    expect((await apart.ended).message).toMatch(/has ended/);
    const response = await fetch(new URL("completions", own.url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "apart", prompt: "cat" }),
    });
    expect([response.status, await response.json()]).toEqual([
      503,
      { error: expect.objectContaining({ code: "engine_ended", type: "server_error" }) },
    ]);
    await own.close();
  });

  it("says what is wrong with a model that cannot be loaded", async () => {
    await expect(workerEngine({ id: "x", source: join(folder, "absent"), device: "cpu" })).rejects.toThrow(
      /there is no folder/,
    );
  });
});

describe("chat templates", () => {
  it("are the model's own, and refuse what they refuse", async () => {
    const own = mkdtempSync(join(tmpdir(), "template-"));
    const template =
      "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('System role not " +
      "supported') }}{% endif %}<start_of_turn>{{ m.role }}\n{{ m.content | trim }}<end_of_turn>\n{% endfor " +
      "%}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}";
    writeFileSync(join(own, "tokenizer_config.json"), JSON.stringify({ bos_token: "<bos>", chat_template: template }));
    const { render, hasSpecialTokens } = await chatTemplateOf(own);
    expect(hasSpecialTokens).toBe(true);
    expect(render([{ role: "user", content: " Hi " }])).toBe(
      "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\n",
    );
    expect(() => render([{ role: "system", content: "x" }])).toThrow(/refuses this chat: System role not supported/);
    expect(
      render([
        { role: "system", content: "Be brief." },
        { role: "user", content: "Hi" },
      ]),
    ).toBe("<bos><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\n");
    rmSync(own, { recursive: true });
  });
});

describe("a model without a chat template", () => {
  it("refuses chats with what to do, takes plain texts, and chats through a template that is given", async () => {
    const own = mkdtempSync(join(tmpdir(), "no-template-"));
    const path = join(own, "template.jinja");
    writeFileSync(path, "{{ messages[0].content }}");
    const serve = async (file?: string) => {
      const asked = localEngine({ id: "tiny", model, tokenizer, chatTemplate: await chatTemplateOf(own, file) });
      const served = await serveModel(asked, { port: 0 });
      return { served, asking: new OpenAI({ baseURL: served.url, apiKey: "x", maxRetries: 0 }) };
    };
    const chat = { model: "tiny", messages: [{ role: "user" as const, content: "cat dog" }], max_tokens: 3 };
    const plain = await serve();
    await expect(plain.asking.chat.completions.create(chat)).rejects.toMatchObject({
      status: 400,
      param: "messages",
      message: expect.stringMatching(/no chat template.*\/v1\/completions.*--chat-template/),
    });
    const prompt = { model: "tiny", prompt: "cat dog", max_tokens: 3, temperature: 0 };
    const text = (await plain.asking.completions.create(prompt)).choices[0]!.text;
    await plain.served.close();
    const given = await serve(path);
    const reply = await given.asking.chat.completions.create({ ...chat, temperature: 0 });
    expect(reply.choices[0]!.message.content).toBe(text);
    await given.served.close();
    await expect(serve(join(own, "absent.jinja"))).rejects.toThrow(/cannot read .*absent\.jinja/);
    rmSync(own, { recursive: true });
  });
});

describe("Gemma's <bos>", () => {
  it("stands once in front of chats and texts, whether they bring their own or not", async () => {
    const own = mkdtempSync(join(tmpdir(), "bos-"));
    makeTokenizer([WORDS], own, { kind: "gemma", size: 256 });
    const gemma = await loadTokenizer({ source: own });
    const begin = gemma.tokenId("<bos>")!;
    const asked = localEngine({ id: "gemma", model, tokenizer: gemma, chatTemplate: await chatTemplateOf(own) });
    for (const prompt of ["cat dog", "<bos>cat dog", [{ role: "user" as const, content: "cat" }]]) {
      const ids = await asked.tokenize(prompt);
      expect(ids[0]).toBe(begin);
      expect(ids.filter((id) => id === begin)).toHaveLength(1);
    }
    expect(await asked.tokenize("<bos>cat dog")).toEqual(await asked.tokenize("cat dog"));
    rmSync(own, { recursive: true });
  });
});

describe("stop texts", () => {
  it("hold back what may be a beginning, across pieces", () => {
    const stops = new StopTexts(["END", "\n\n"]);
    expect([stops.push("aE"), stops.push("N"), stops.push("x\n"), stops.push("b EN"), stops.push("D more")]).toEqual([
      "a",
      "",
      "ENx",
      "\nb ",
      "",
    ]);
    expect([stops.ended, stops.rest()]).toEqual([true, ""]);
  });
});
