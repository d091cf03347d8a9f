import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silent } from "../src/base/progress.js";
import { sampleModelFolder } from "../src/experiments/index.js";
import { mmmlu } from "./command.js";

const folder = mkdtempSync(join(tmpdir(), "mmmlu-local-models-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let chats = "";
const plain = join(folder, "plain-model");
const template = join(folder, "template.jinja");
beforeAll(async () => {
  chats = await sampleModelFolder(silent);
  cpSync(chats, plain, { recursive: true });
  const path = join(plain, "tokenizer_config.json");
  const { chat_template, ...others } = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify(others));
  writeFileSync(template, chat_template);
});

const run = (model: string, out: string, ...more: string[]) =>
  mmmlu([
    "run",
    "gemma-3-27b-baseline",
    "--sample",
    "--model",
    model,
    "--out",
    join(folder, out),
    ...["data.rowsPerLanguage=60", "answerer.maxTokensPerQuestion=1", "answerer.maxTokensExtra=0", ...more].flatMap(
      (setting) => ["--set", setting],
    ),
  ]);
const alone = "answerer.questionsPerRequest=1";
const plainly = ["answerer.prompt=flan-t5", alone];
const json = (...names: string[]): any => JSON.parse(readFileSync(join(folder, ...names), "utf8"));
const replies = (out: string): any[] =>
  readFileSync(join(folder, out, "replies.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("a zero-shot experiment on a model of this machine", () => {
  it("asks a plain prompt, keeps replies with the letters' log-probabilities, and goes on from them", async () => {
    const first = await run(plain, "plain", ...plainly, "answerer.logprobs=true");
    expect(first).toMatchObject({ code: 0 });
    const kept = replies("plain");
    expect(kept).toHaveLength(12);
    for (const { text, logProbabilities } of kept) {
      const likeliest = "ABCD"[logProbabilities.indexOf(Math.max(...logProbabilities))];
      expect([text, likeliest]).toEqual([likeliest, likeliest]);
      expect(logProbabilities.reduce((sum: number, one: number) => sum + Math.exp(one), 0)).toBeLessThan(1.001);
    }
    const { model, notes } = json("plain", "manifest.json");
    expect(model).toMatchObject({ name: plain, kind: "local-model", device: "cpu", quantization: "none" });
    expect(model.weights).toMatch(/^[0-9a-f]{64}$/);
    expect(model.tokenizer["tokenizer.json"]).toMatch(/^[0-9a-f]{64}$/);
    expect(notes.join()).not.toMatch(/a server/);
    // As an interrupted run leaves them: a few replies.
    const path = join(folder, "plain", "replies.jsonl");
    const lines = readFileSync(path, "utf8").split("\n");
    writeFileSync(path, `${lines.slice(0, 5).join("\n")}\n`);
    expect(await run(plain, "plain", ...plainly, "answerer.logprobs=true")).toMatchObject({ code: 0 });
    expect(json("plain", "metrics.json")).toMatchObject({ asked: 7, cached: 5 });
    const byKey = (all: any[]) =>
      new Map(all.map(({ key, text, logProbabilities }) => [key, { text, logProbabilities }]));
    expect(byKey(replies("plain"))).toEqual(byKey(kept));
  });

  it("runs where --device auto chooses, and a plan's probe answers for the run that follows", async () => {
    const auto = [...plainly, "answerer.device=auto", "data.limit=4"];
    const probed = await mmmlu(
      ["plan", "gemma-3-27b-baseline", "--sample", "--model", plain, "--out", join(folder, "auto"), "--probe"].concat(
        ["data.rowsPerLanguage=60", "answerer.maxTokensPerQuestion=1", "answerer.maxTokensExtra=0", ...auto].flatMap(
          (setting) => ["--set", setting],
        ),
      ),
    );
    expect(probed).toMatchObject({ code: 0 });
    expect(await run(plain, "auto", ...auto)).toMatchObject({ code: 0 });
    expect(json("auto", "manifest.json").model).toMatchObject({ device: "cpu" });
    expect(json("auto", "metrics.json").cached).toBeGreaterThan(0);
  });

  it("asks in chats through the model's template, and refuses a model that has none", async () => {
    expect(await run(`local:${chats}`, "chat", alone)).toMatchObject({ code: 0 });
    expect(replies("chat")).toHaveLength(12);
    const refused = await run(`local:${plain}`, "refused");
    expect(refused.code).toBe(1);
    expect(refused.error).toMatch(/has no chat template: it cannot be asked in a chat/);
    expect(refused.error).toMatch(/answerer\.prompt=gemma-2[^]*answerer\.chatTemplate=FILE/);
  });

  it("asks through a template that is given, whose hash is part of its identity", async () => {
    const given = `answerer.chatTemplate=${template}`;
    expect(await run(`local:${plain}`, "given", alone, given)).toMatchObject({ code: 0 });
    expect(json("given", "manifest.json").model.chatTemplate).toMatch(/^[0-9a-f]{64}$/);
    const texts = (out: string) => replies(out).map(({ text }) => text);
    expect(texts("given").sort()).toEqual(texts("chat").sort());
    const broken = join(folder, "broken.jinja");
    writeFileSync(broken, "{% for message in messages %}");
    const refused = await run(`local:${plain}`, "broken", alone, `answerer.chatTemplate=${broken}`);
    expect(refused).toMatchObject({
      code: 1,
      error: expect.stringMatching(/the chat template in .*broken\.jinja cannot be read/),
    });
    const absent = await run(`local:${plain}`, "absent", alone, "answerer.chatTemplate=absent.jinja");
    expect(absent).toMatchObject({ code: 1, error: expect.stringMatching(/cannot read absent\.jinja/) });
    const unused = await run(`local:${plain}`, "unused", ...plainly, given);
    expect(unused).toMatchObject({ code: 2, error: expect.stringMatching(/is no chat: leave it out/) });
  });

  it("holds weights quantized where asked, under another identity", async () => {
    expect(await run(plain, "int8", ...plainly, "answerer.quantization=int8")).toMatchObject({ code: 0 });
    expect(json("int8", "manifest.json").model).toMatchObject({ quantization: "int8" });
  });

  it("refuses what is not there and what says nothing, before any row is read", async () => {
    const missing = await run("local:./absent", "x");
    expect(missing).toMatchObject({ code: 2, error: expect.stringMatching(/there is no folder \.\/absent/) });
    const server = await run("gemma-3-27b-it", "x", "answerer.quantization=fp4");
    expect(server).toMatchObject({ code: 2, error: expect.stringMatching(/gemma-3-27b-it is not run here/) });
    expect(existsSync(join(folder, "x"))).toBe(false);
  });
});
