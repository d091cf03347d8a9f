import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { mmmlu } from "./command.js";

/** A folder in which node-llama-cpp is installed, and a GGUF file. */
const { MMMLU_TEST_NODE_LLAMA_CPP: installed = "", MMMLU_TEST_GGUF: file = "" } = process.env;
const without = !existsSync(join(installed, "node_modules/node-llama-cpp")) || !existsSync(file);
if (without)
  console.warn(
    "skipped: answers of llama.cpp (set MMMLU_TEST_NODE_LLAMA_CPP to a folder with it, MMMLU_TEST_GGUF to a file)",
  );

const folder = mkdtempSync(join(tmpdir(), "mmmlu-llama-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (from: string, model: string, ...more: string[]) =>
  mmmlu(
    [
      ...["run", "gemma-3-27b-baseline", "--sample", "--model", model, "--out", join(folder, "run")],
      ...["prompt=gemma-2", "questionsPerRequest=1", "logprobs=true", "maxTokensPerQuestion=1", "maxTokensExtra=0"]
        .map((setting) => `answerer.${setting}`)
        .concat("data.rowsPerLanguage=10", ...more)
        .flatMap((setting) => ["--set", setting]),
    ],
    { folder: from },
  );

it("is refused with the command that installs it where it is not installed", async () => {
  writeFileSync(join(folder, "any.gguf"), "");
  const { code, error } = await run(folder, "llama:any.gguf");
  expect(code).toBe(1);
  expect(error).toMatch(/node-llama-cpp is not installed/);
  expect(error).toMatch(/npm install node-llama-cpp@3\.21\.1/);
  const other = await run(folder, "llama:gemma-3-27b-it");
  expect(other).toMatchObject({ code: 2, error: expect.stringMatching(/is no \.gguf file/) });
});

it.skipIf(without)("answers, one token a reply, and the manifest says by what", { timeout: 600_000 }, async () => {
  const { code, error } = await run(installed, `llama:${file}`);
  expect({ code, error: code === 0 ? "" : error }).toEqual({ code: 0, error: "" });
  expect(error).toMatch(/for its weights and .* for a context of \d+ tokens; .* is free/);
  const manifest = JSON.parse(readFileSync(join(folder, "run/manifest.json"), "utf8"));
  expect(manifest.model).toMatchObject({ kind: "llama.cpp", keyValueType: "F16" });
  expect(manifest.model.file).toMatch(/^[0-9a-f]{64}$/);
  for (const line of readFileSync(join(folder, "run/replies.jsonl"), "utf8").trim().split("\n")) {
    const { tokens, text } = JSON.parse(line);
    expect(tokens).toMatchObject({ completion: text === "" ? expect.any(Number) : 1 });
  }
});
