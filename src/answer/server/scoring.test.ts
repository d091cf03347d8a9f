import { getEventListeners } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDevice } from "../../graph/index.js";
import { createTinyT5 } from "../../models/index.js";
import { loadTokenizer, makeTokenizer, type Tokenizer } from "../../tokens/index.js";
import { chatTemplateOf } from "./chat-template.js";
import { localEngine } from "./local-engine.js";
import { type ModelServer, serveModel } from "./server.js";
import { type WorkerEngine, workerEngine } from "./worker-engine.js";

/** What transformers says of whole rows (reference/decoder.py). */
interface Golden {
  readonly tokens: number[];
  /** Of each token but the first. */
  readonly logProbabilities: number[];
  /** At each place the likeliest tokens after it. */
  readonly top: [number, number][][];
  readonly next: number;
}

const golden = fileURLToPath(new URL("../../../reference/golden/gemma2/", import.meta.url));
const rows = JSON.parse(readFileSync(join(golden, "prompts.json"), "utf8")) as Golden[];
const folder = mkdtempSync(join(tmpdir(), "scoring-"));
let tokenizer: Tokenizer;
let engine: WorkerEngine;
let server: ModelServer;
let client: OpenAI;

beforeAll(async () => {
  cpSync(join(golden, "base"), folder, { recursive: true });
  // As many words as the model has tokens, so that each id is a word.
  const words = Array.from({ length: 80 }, (_, word) => `w${word}`).join(" ");
  expect(makeTokenizer([words], folder, { kind: "gemma", size: 80 })).toBe(80);
  tokenizer = await loadTokenizer({ source: folder });
  engine = await workerEngine({ id: "gemma", source: folder, device: "cpu" });
  server = await serveModel(engine, { port: 0 });
  client = new OpenAI({ baseURL: server.url, apiKey: "x", maxRetries: 0 });
});
afterAll(async () => {
  await server.close();
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

const written = (id: number): string =>
  tokenizer.isSpecial(id) ? tokenizer.tokenOf(id)! : tokenizer.tokenOf(id)!.replaceAll("▁", " ");
const ask = (more: object): Promise<OpenAI.Completion> =>
  client.completions.create({
    model: "gemma",
    temperature: 0,
    echo: true,
    ...more,
  } as OpenAI.CompletionCreateParamsNonStreaming);

describe("an engine in a thread of its own", () => {
  it("leaves nothing on a signal that outlives its calls", async () => {
    const { signal } = new AbortController();
    for (let call = 0; call < 12; call++) expect(await engine.likelihoods!("w1 w2", [" w3"], signal)).toHaveLength(1);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });
});

describe("log-probabilities of prompts, asked as lm-evaluation-harness asks", () => {
  it("are those of transformers: each token's, the likeliest at each place, the token after them", async () => {
    // Rows longer than the sliding window are among them.
    expect(Math.max(...rows.map(({ tokens }) => tokens.length))).toBeGreaterThan(16);
    const reply = await ask({ prompt: rows.map(({ tokens }) => tokens), max_tokens: 1, logprobs: 5, seed: 1234 });
    expect(reply.choices.map(({ index }) => index)).toEqual(rows.map((_, index) => index));
    rows.forEach(({ tokens, logProbabilities, top, next }, index) => {
      const { token_logprobs: values, top_logprobs: tops, ...logprobs } = reply.choices[index]!.logprobs!;
      expect(logprobs.tokens).toEqual([...tokens, next].map(written));
      expect(values).toHaveLength(tokens.length + 1);
      expect([values![0], tops![0]]).toEqual([null, null]);
      logProbabilities.forEach((value, at) => expect(values![at + 1]).toBeCloseTo(value, 4));
      top.forEach((likeliest, place) => {
        const told = tops![place + 1]!;
        for (const [id, value] of likeliest) expect(told[written(id)]).toBeCloseTo(value, 4);
        // A token that is none of the five stands beside them.
        const own = tokens[place + 1] ?? next;
        expect(Object.keys(told)).toHaveLength(likeliest.some(([id]) => id === own) ? 5 : 6);
        expect(told[written(own)]).toBe(values![place + 1]);
      });
    });
    const read = rows.reduce((sum, { tokens }) => sum + tokens.length, 0);
    expect(reply.usage).toEqual({
      prompt_tokens: read,
      completion_tokens: rows.length,
      total_tokens: read + rows.length,
    });
  });

  it("make the sums and the greedy marks that lm-evaluation-harness reads", async () => {
    // Its parse_logprobs, with a context of two tokens: what follows it, without the one new token.
    const { choices } = await ask({ prompt: rows.map(({ tokens }) => tokens), max_tokens: 1, logprobs: 1 });
    choices.forEach(({ logprobs }, index) => {
      const { logProbabilities, top, tokens } = rows[index]!;
      const values = (logprobs!.token_logprobs as number[]).slice(2, -1);
      const tops = (logprobs!.top_logprobs as Record<string, number>[]).slice(2, -1);
      expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(
        logProbabilities.slice(1).reduce((sum, value) => sum + value, 0),
        3,
      );
      expect(values.every((value, at) => value === Math.max(...Object.values(tops[at]!)))).toBe(
        tokens.slice(2).every((token, at) => top[at + 1]![0]![0] === token),
      );
    });
  });

  it("stand where their tokens stand in the text, behind the tokenizer's own <bos>", async () => {
    const prompt = "A w3 w5 w4\n w2";
    const { choices } = await ask({ prompt, max_tokens: 0, logprobs: 0 });
    const { text, logprobs, finish_reason } = choices[0]!;
    expect([text, finish_reason]).toEqual([prompt, "length"]);
    expect(logprobs!.tokens![0]).toBe("<bos>");
    expect(logprobs!.text_offset![0]).toBe(0);
    logprobs!.tokens!.slice(1).forEach((token, at) => {
      const offset = logprobs!.text_offset![at + 1]!;
      expect(prompt.slice(offset, offset + token.length)).toBe(token);
    });
  });

  it("come without new tokens, with one, and before many; echo alone gives the text", async () => {
    const prompt = rows[1]!.tokens;
    const [none, one, many, alone] = await Promise.all(
      [
        { max_tokens: 0, logprobs: 1 },
        { max_tokens: 1, logprobs: 1 },
        { max_tokens: 4, logprobs: 1 },
        { max_tokens: 4 },
      ].map((more) => ask({ prompt, ...more })),
    );
    const tokensOf = (reply: OpenAI.Completion | undefined) => reply!.choices[0]!.logprobs!.tokens!;
    expect(tokensOf(none)).toEqual(prompt.map(written));
    expect(tokensOf(one).slice(0, -1)).toEqual(tokensOf(none));
    expect(tokensOf(many).slice(0, prompt.length)).toEqual(tokensOf(none));
    expect(many!.choices[0]!.text.startsWith(none!.choices[0]!.text)).toBe(true);
    expect(alone!.choices[0]).toMatchObject({ text: many!.choices[0]!.text, logprobs: null });
    const plain = await ask({ prompt, max_tokens: 4, echo: false });
    expect(many!.choices[0]!.text).toBe(none!.choices[0]!.text + plain.choices[0]!.text);
  });

  it("of several prompts without echo: a reply for each, as alone", async () => {
    const prompts = rows.slice(0, 3).map(({ tokens }) => tokens);
    const together = await ask({ prompt: prompts, max_tokens: 3, echo: false });
    for (const [index, prompt] of prompts.entries()) {
      const alone = await ask({ prompt, max_tokens: 3, echo: false });
      expect(together.choices[index]).toEqual({ ...alone.choices[0], index });
    }
  });

  it("are refused where nothing is generated without echo, in streams, and past a bound", async () => {
    const refused = async (more: object, param: string): Promise<void> => {
      await expect(ask({ prompt: [2, 5], ...more })).rejects.toMatchObject({
        status: 400,
        param: expect.stringMatching(`^${param}\\b`),
      });
    };
    await refused({ max_tokens: 0, echo: false }, "max_tokens");
    await refused({ stream: true }, "stream");
    await refused({ stream: true, echo: false, prompt: ["a", "b"] }, "stream");
    await refused({ prompt: Array(129).fill([2]) }, "prompt");
    await refused({ prompt: Array(128).fill(Array(100).fill(5)), logprobs: 20 }, "prompt");
    await refused({ prompt: [[2], []] }, "prompt");
    await refused({ prompt: [2, -1] }, "prompt");
  });
});

describe("an encoder-decoder model", () => {
  it("says that it does not predict its prompt", async () => {
    const device = await openDevice("cpu", { threads: 1 });
    const model = await createTinyT5(device, { vocabSize: 80 }, 1);
    const t5 = localEngine({ id: "t5", model, tokenizer, chatTemplate: await chatTemplateOf(folder) });
    const own = await serveModel(t5, { port: 0 });
    const asking = new OpenAI({ baseURL: own.url, apiKey: "x", maxRetries: 0 });
    await expect(
      asking.completions.create({ model: "t5", prompt: "w1", echo: true, logprobs: 1, max_tokens: 1 }),
    ).rejects.toMatchObject({ status: 400, param: "echo", message: expect.stringMatching(/encoder-decoder model/) });
    await own.close();
    await t5.close();
  });
});
