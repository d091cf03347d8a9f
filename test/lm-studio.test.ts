import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mmmlu } from "./command.js";
import { serveByLlamaCpp } from "./llama-cpp/server.js";
import { writeTinyDecoder } from "./tiny-decoder.js";

/** A Python that has xllamacpp: see test/llama-cpp/serve.py. */
const python = process.env["MMMLU_TEST_LLAMA_CPP"];
if (!python)
  console.warn("skipped: the way to llama.cpp and back (set MMMLU_TEST_LLAMA_CPP to a Python with xllamacpp)");

const page = readFileSync(fileURLToPath(new URL("../docs/lm-studio.md", import.meta.url)), "utf8");
/** The page's commands, in order. */
const commands = [...page.matchAll(/^npm run mmmlu -- (.*)$/gm)].map(([, line]) => line!.split(" "));
const served = /`(\w+\.json)`:\n\n```json\n([^]*?)^```/m.exec(page)!;

const folder = mkdtempSync(join(tmpdir(), "mmmlu-lm-studio-"));
const base = join(folder, "base");
beforeAll(async () => {
  await writeTinyDecoder(base);
  writeFileSync(join(folder, served[1]!), served[2]!);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const settings = (...all: string[]): string[] => all.flatMap((one) => ["--set", one]);
/** Rows that the tiny model can take: a token a character. */
const rows = ["--sample", ...settings("data.rowsPerLanguage=200", "filter.maxTokens=400", `tokenizer.source=${base}`)];
const predictions = (run: string, stage: string): Map<string, string | null> =>
  new Map(
    readFileSync(join(folder, run, "predictions.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .filter((one) => one.stage === stage)
      .map(({ id, reply }) => [id, reply]),
  );
const done = async (given: readonly string[]): Promise<string> => {
  const { code, out, error } = await mmmlu(given, { folder });
  expect({ code, error: code === 0 ? "" : error }).toEqual({ code: 0, error: "" });
  return out;
};

describe.skipIf(!python)("the page of LM Studio, against the real llama.cpp", () => {
  it("goes from the fine-tuning to the file, the server and the comparison", async () => {
    const [tune, write, ask, compare, ...others] = commands as [string[], string[], string[], string[]];
    expect(others).toEqual([]);
    const training = ["epochs=2", "maxSteps=null", "learningRate=0.004"].map((one) => `training.${one}`);
    await done([...tune, ...rows, ...settings(`model.source=${base}`, "maxLength=512", "lora.r=8", ...training)]);
    await done(write);
    const server = await serveByLlamaCpp(python!, join(folder, "tuned.gguf"), "tuned");
    try {
      await done([...ask, ...rows, ...settings(`answerer.endpoint=${server.url}`)]);
    } finally {
      await server.stop();
    }
    const { pairs, rows: common } = JSON.parse(await done([...compare, "--json"]));
    const [ours, theirs] = [predictions("outputs/tuned", "final"), predictions("outputs/served", "test")];
    expect([...theirs.keys()].sort()).toEqual([...ours.keys()].sort());
    expect(common).toBe(ours.size);
    // NF4 here, the base's own weights there.
    expect(pairs).toHaveLength(1);
  });

  it("chats through the template inside as we do, with the same replies", async () => {
    await done(["export", "gguf", base, "--type", "f32", "--out", "base.gguf"]);
    const server = await serveByLlamaCpp(python!, join(folder, "base.gguf"), "base");
    const asking = (model: string, out: string, ...more: string[]): string[] => [
      ...["run", "gemma-3-27b-baseline", "--model", model, "--out", out, ...rows],
      ...settings("data.rowsPerLanguage=80", "filter.maxTokens=600", "answerer.questionsPerRequest=1", ...more),
    ];
    try {
      await done(asking("base", "outputs/over-http", `answerer.endpoint=${server.url}`));
    } finally {
      await server.stop();
    }
    await done(asking(`local:${base}`, "outputs/here"));
    await done(asking("base.gguf", "outputs/file"));
    const [there, here, file] = ["over-http", "here", "file"].map((run) => predictions(`outputs/${run}`, "test"));
    expect(here!.size).toBeGreaterThan(10);
    expect(file).toEqual(here);
    const same = [...here!].filter(([id, reply]) => there!.get(id) === reply).length;
    expect(same / here!.size).toBeGreaterThan(0.9);
  });
});
