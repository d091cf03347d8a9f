import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  examineEndpoint,
  type Finding,
  type ModelServer,
  serveModel,
  type WorkerEngine,
  workerEngine,
} from "../src/answer/index.js";
import { makeTokenizer } from "../src/tokens/index.js";
import { type ImitationOptions, startChatImitation } from "./chat-imitation/server.js";
import { mmmlu } from "./command.js";

const verdicts = (findings: readonly Finding[]): Record<string, string> =>
  Object.fromEntries(findings.map(({ about, verdict }) => [about, verdict]));
const saidOf = (findings: readonly Finding[], about: string): string =>
  findings.find((one) => one.about === about)?.said ?? "";

describe("our own server with a tiny Gemma", () => {
  const folder = mkdtempSync(join(tmpdir(), "mmmlu-doctor-"));
  let engine: WorkerEngine;
  let server: ModelServer;

  beforeAll(async () => {
    cpSync(fileURLToPath(new URL("../reference/golden/gemma2/base", import.meta.url)), folder, { recursive: true });
    const words = Array.from({ length: 78 }, (_, word) => `w${word}`).join(" ");
    makeTokenizer([`${words} go A B`], folder, { kind: "gemma", size: 80 });
    const path = join(folder, "tokenizer_config.json");
    const config = JSON.parse(readFileSync(path, "utf8"));
    config.chat_template = "{{ bos_token }}{% for m in messages %}w1 w2 w3 {{ m.content }} w4{% endfor %}";
    writeFileSync(path, JSON.stringify(config));
    engine = await workerEngine({ id: "tiny", source: folder, device: "cpu" });
    server = await serveModel(engine, { port: 0 });
  });
  afterAll(async () => {
    await server.close();
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("does what it should", async () => {
    const { findings, model } = await examineEndpoint(server.url);
    expect(model).toBe("tiny");
    expect(verdicts(findings)).toMatchObject({
      "chat template": "good",
      "<bos>": "good",
      "log-probabilities of chats": "good",
      "log-probabilities of plain texts": "good",
      "log-probabilities of prompts": "good",
      "same reply alone": "good",
      "same reply under load": "good",
      "prompts that are too long": "good",
      usage: "good",
    });
    expect(saidOf(findings, "<bos>")).toMatch(/one opening token.*<bos>/);
  });
});

describe("servers that are not what they seem", () => {
  const examined = async (options: ImitationOptions): Promise<readonly Finding[]> => {
    const server = await startChatImitation(options);
    try {
      return (await examineEndpoint(server.url, { timeoutSeconds: 20 })).findings;
    } finally {
      await server.stop();
    }
  };

  it("invent log-probabilities", async () => {
    const zeros = await examined({ logProbabilities: "zeros" });
    expect(verdicts(zeros)["log-probabilities of chats"]).toBe("bad");
    const same = await examined({ logProbabilities: "the same for all" });
    expect(saidOf(same, "log-probabilities of chats")).toMatch(/^invented: /);
    const none = await examined({ logProbabilities: "none" });
    expect(verdicts(none)["log-probabilities of chats"]).toBe("note");
    // The imitation counts 100 tokens whatever it is asked, and takes any prompt.
    expect(verdicts(none)).toMatchObject({ "chat template": "bad", "system message": "bad" });
    expect(saidOf(none, "prompts that are too long")).toMatch(/^cut without a word/);
  });

  it("think first, and answer otherwise under load", async () => {
    let number = 0;
    let atOnce = 0;
    const findings = await examined({
      reasoning: () => "Let me see.",
      delayMilliseconds: 20,
      reply: () => {
        atOnce++;
        setTimeout(() => atOnce--, 15);
        return atOnce > 2 ? `load ${number++}` : "steady";
      },
    });
    expect(saidOf(findings, "reasoning")).toMatch(/^on: it thinks apart from the reply/);
    expect(verdicts(findings)).toMatchObject({ "same reply alone": "good", "same reply under load": "note" });
    const restless = await examined({ reply: () => `answer ${number++}` });
    expect(verdicts(restless)["same reply alone"]).toBe("bad");
  });

  it("put two <bos> in front of a chat, as their own tokenizer tells", async () => {
    const llama = await imitateLlama(["<bos>", "<bos>", "user"]);
    const { findings } = await examineEndpoint(llama.url, { timeoutSeconds: 20 });
    expect(findings.find(({ about }) => about === "<bos>")).toMatchObject({
      verdict: "bad",
      said: expect.stringMatching(/2 opening tokens/),
    });
    expect(saidOf(findings, "context length")).toMatch(/^4,096 tokens \(by llama\.cpp's \/props\)/);
    expect(saidOf(findings, "slots")).toMatch(/4/);
    expect(saidOf(findings, "prompts that are too long")).toMatch(/^refused: .*context size/);
    await llama.close();
  });

  it("are not there", async () => {
    const { code, error } = await mmmlu(["doctor", "http://127.0.0.1:9/v1"]);
    expect(code).toBe(1);
    expect(error).toMatch(/no server answers at http:\/\/127\.0\.0\.1:9\/v1/);
    expect(await mmmlu(["doctor", "not an address"])).toMatchObject({ code: 2 });
  });

  it("and the command says it all, with exit code 1 where something is bad", async () => {
    const server = await startChatImitation({ models: ["m", "n"] });
    const { code, out } = await mmmlu(["doctor", server.url, "--model", "n"]);
    expect(code).toBe(1);
    expect(out).toMatch(/^n on http:\/\/127\.0\.0\.1:\d+\/v1\n/);
    expect(out).toMatch(/^BAD {3}chat template/m);
    expect(await mmmlu(["doctor", server.url, "--model", "x"])).toMatchObject({
      code: 1,
      error: expect.stringMatching(/has no model "x"[^]*It has m, n/),
    });
    await server.stop();
  });
});

/** A few of llama.cpp's own routes, and a context that is too short. */
function imitateLlama(pieces: readonly string[]): Promise<{ url: string; close: () => Promise<void> }> {
  const server: Server = createServer((request, response) => {
    let body = "";
    request.on("data", (piece: Buffer) => (body += piece.toString()));
    request.on("end", () => {
      const send = (status: number, value: unknown): void => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify(value));
      };
      const asked = body ? JSON.parse(body) : {};
      if (request.url === "/v1/models") return send(200, { data: [{ id: "gemma" }] });
      if (request.url === "/props") return send(200, { total_slots: 4, default_generation_settings: { n_ctx: 4096 } });
      if (request.url === "/apply-template") return send(200, { prompt: "<bos>user A B" });
      if (request.url === "/tokenize" && asked.messages) return send(400, { error: "no content" });
      if (request.url === "/tokenize") return send(200, { tokens: pieces.map((piece, id) => ({ id, piece })) });
      if (/completions$/.test(request.url ?? "")) {
        if (body.length > 13_000)
          return send(400, { error: { message: "the request exceeds the available context size (4096 tokens)" } });
        const usage = { prompt_tokens: 20, completion_tokens: 1 };
        return send(200, { choices: [{ message: { content: "A" }, text: "A", finish_reason: "length" }], usage });
      }
      return send(404, { error: "not found" });
    });
  });
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () =>
      resolve({
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
        close: () => new Promise((done) => server.close(() => done())),
      }),
    ),
  );
}
