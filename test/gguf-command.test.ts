import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mmmlu } from "./command.js";
import { hubImitation } from "./hub-imitation/server.js";
import { writeTinyDecoder } from "./tiny-decoder.js";

/* A GGUF file is a model like a folder, through the commands. */

const folder = mkdtempSync(join(tmpdir(), "mmmlu-gguf-command-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(async () => {
  await writeTinyDecoder(join(folder, "base"));
  await done("export", "gguf", "base", "--type", "q8_0", "--out", "tiny.gguf");
});

async function done(...given: string[]): Promise<string> {
  const { code, out, error } = await mmmlu(given, { folder });
  expect({ code, error: code === 0 ? "" : error }).toEqual({ code: 0, error: "" });
  return out;
}
const settings = (...all: string[]): string[] => all.flatMap((one) => ["--set", one]);
/** Rows that the tiny model can take: a token a character. */
const few = ["--sample", ...settings("data.rowsPerLanguage=80", "filter.maxTokens=600")];
const asked = (model: string, out: string, ...more: string[]): string[] => [
  ...["run", "gemma-3-27b-baseline", "--model", model, "--out", out, ...few, ...more],
  ...settings("tokenizer.source=tiny.gguf", "answerer.questionsPerRequest=1", "answerer.maxTokensPerQuestion=2"),
];
const replies = (run: string): string[] =>
  readFileSync(join(folder, run, "replies.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).text)
    .sort();

/** What a served model answers to a chat and to a text. */
async function served(...given: string[]): Promise<string[]> {
  const texts: string[] = [];
  let asking: Promise<void> | undefined;
  const { code, error } = await mmmlu(["serve", ...given, "--port", "0"], {
    folder,
    started: (child) => {
      let said = "";
      child.stdout!.on("data", (piece: Buffer) => {
        const url = /http:\S+/.exec((said += piece.toString()))?.[0];
        if (url === undefined || asking) return;
        const client = new OpenAI({ baseURL: url, apiKey: "x", maxRetries: 0 });
        const common = { model: given[0]!, temperature: 0, max_tokens: 4 };
        asking = (async () => {
          const chat = await client.chat.completions.create({ ...common, messages: [{ role: "user", content: "Hi" }] });
          texts.push(chat.choices[0]!.message.content!);
          texts.push((await client.completions.create({ ...common, prompt: "Hi" })).choices[0]!.text);
        })().finally(() => child.kill("SIGINT"));
      });
    },
  });
  await asking;
  expect({ code, error: code === 0 ? "" : error }).toEqual({ code: 0, error: "" });
  return texts;
}

describe("a GGUF file", () => {
  it("answers an evaluation by its name alone and behind local:, and is the same model", async () => {
    await done(...asked("tiny.gguf", "by-name"));
    await done(...asked("local:tiny.gguf", "by-prefix"));
    expect(replies("by-prefix")).toEqual(replies("by-name"));
    const { model } = JSON.parse(readFileSync(join(folder, "by-name", "manifest.json"), "utf8"));
    expect(model.weights).toMatch(/^[0-9a-f]{64}$/);
  });

  it("is served, to chats and to texts", async () => {
    expect(await served("tiny.gguf")).toHaveLength(2);
  });

  it("is fine-tuned with an adapter, which is served, merged and exported", async () => {
    const training = ["training.epochs=1", "training.maxSteps=2", "maxLength=700", "evaluation.maxNewTokens=1"];
    const from = settings("model.source=tiny.gguf", "tokenizer.source=tiny.gguf", ...training);
    await done("run", "gemma-3-270m-finetune", ...few, ...from, "--out", "tuned");
    expect(existsSync(join(folder, "tuned", "model", "adapter_model.safetensors"))).toBe(true);
    const adapted = await served("tuned", "--quantization", "none");
    await done("merge", "tuned", "--float32", "--out", "merged");
    expect(await served("merged")).toEqual(adapted);
    await done("export", "gguf", "tuned", "--type", "f32", "--out", "tuned.gguf");
    expect(await served("tuned.gguf")).toEqual(adapted);
    const there = await mmmlu(["export", "gguf", "tuned", "--out", "tuned.gguf"], { folder });
    expect(there).toMatchObject({
      code: 1,
      error: expect.stringMatching(/tuned\.gguf is there already[^]*--overwrite/),
    });
  });

  it("comes from the hub by owner/repository:file.gguf, and then from the cache", async () => {
    const hub = await hubImitation([
      {
        type: "model",
        name: "someone/tiny-GGUF",
        commit: "c".repeat(40),
        files: { "tiny-q8_0.gguf": readFileSync(join(folder, "tiny.gguf")) },
        large: ["tiny-q8_0.gguf"],
      },
    ]);
    writeFileSync(join(folder, ".env"), `HF_ENDPOINT=${hub.url}\nHF_HOME=${join(folder, "home")}\n`);
    try {
      await done(...asked("local:someone/tiny-GGUF:tiny-q8_0.gguf", "from-hub"));
      expect(replies("from-hub")).toEqual(replies("by-name"));
      const { model } = JSON.parse(readFileSync(join(folder, "from-hub", "manifest.json"), "utf8"));
      expect(model).toMatchObject({ source: "someone/tiny-GGUF:tiny-q8_0.gguf", commit: "c".repeat(40) });
      const before = hub.requests.length;
      await done(...asked("local:someone/tiny-GGUF:tiny-q8_0.gguf", "from-cache", "--offline"));
      expect(hub.requests.length).toBe(before);
      const absent = await mmmlu(asked("local:someone/tiny-GGUF:other.gguf", "absent"), { folder });
      expect(absent).toMatchObject({ code: 1, error: expect.stringMatching(/other\.gguf/) });
    } finally {
      await hub.close();
      rmSync(join(folder, ".env"));
    }
  });

  it("that is unsound is refused with what is wrong, and nothing is left of the run", async () => {
    const cut = join(folder, "cut.gguf");
    writeFileSync(cut, readFileSync(join(folder, "tiny.gguf")));
    truncateSync(cut, 60_000);
    const other = readFileSync(join(folder, "tiny.gguf"));
    // The architecture's name in the metadata, of the same length.
    other.write("gemmaX", other.indexOf("gemma3"), "latin1");
    writeFileSync(join(folder, "other.gguf"), other);
    writeFileSync(join(folder, "text.gguf"), "not a GGUF file at all, only its name");
    writeFileSync(join(folder, "empty.gguf"), "");
    writeFileSync(join(folder, "part-00001-of-00002.gguf"), readFileSync(join(folder, "tiny.gguf")));
    for (const [name, why] of [
      ["cut.gguf", /cut\.gguf/],
      ["other.gguf", /the architecture "gemmaX" is not supported[^]*Supported: /],
      ["text.gguf", /text\.gguf/],
      ["empty.gguf", /empty\.gguf/],
      ["part-00001-of-00002.gguf", /00002/],
      ["absent.gguf", /there is no file/],
    ] as const) {
      for (const given of [
        ["serve", name, "--port", "0"],
        ["export", "gguf", name, "--out", "out.gguf"],
        asked(`local:${name}`, "refused"),
      ]) {
        const { code, error } = await mmmlu(given, { folder });
        expect([given[0], name, code === 1 || code === 2, error]).toEqual([
          given[0],
          name,
          true,
          expect.stringMatching(why),
        ]);
        expect(error).not.toMatch(/\n {4}at /);
      }
    }
    expect(existsSync(join(folder, "out.gguf"))).toBe(false);
    expect(existsSync(join(folder, "refused", "manifest.json"))).toBe(false);
  });
});
