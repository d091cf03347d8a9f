import type { ChildProcess } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gemma2Prompt } from "../src/answer/index.js";
import { loadCorpus } from "../src/data/index.js";
import { mmmlu } from "./command.js";
import { hubImitation } from "./hub-imitation/server.js";

const folder = mkdtempSync(join(tmpdir(), "mmmlu-gemma-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (...names: string[]): string => join(folder, ...names);
const json = (...names: string[]): any => JSON.parse(readFileSync(at(...names), "utf8"));
const lines = (...names: string[]): any[] =>
  readFileSync(at(...names), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
const short = (out: string, ...more: string[]): string[] => [
  "run",
  "gemma-2-2b-finetune",
  "--sample",
  "--out",
  at(out),
  "--set",
  "training.epochs=2",
  "--set",
  "training.loggingSteps=10",
  "--set",
  "data.rowsPerLanguage=300",
  ...more,
];

/** Serves a model in a process of its own while `use` asks it. */
async function served<T>(
  given: readonly string[],
  use: (client: OpenAI, model: string, said: string) => Promise<T>,
): Promise<{ result: T; code: number | null }> {
  let child: ChildProcess | undefined;
  let [began, failed]: [(url: string) => void, (error: Error) => void] = [() => undefined, () => undefined];
  const url = new Promise<string>((resolve, reject) => ([began, failed] = [resolve, reject]));
  let said = "";
  const finished = mmmlu(["serve", ...given, "--port", "0"], {
    environment: { MMMLU_API_KEY: "secret" },
    started: (one) => {
      child = one;
      one.stdout!.on("data", (piece: Buffer) => {
        said += piece.toString();
        const found = /http:\S+/.exec(said)?.[0];
        if (found) began(found);
      });
      // What is said while it loads comes first.
      one.stderr!.on("data", (piece: Buffer) => (said += piece.toString()));
      one.on("close", () => failed(new Error(`the server ended: ${said}`)));
    },
  });
  const result = await use(new OpenAI({ baseURL: await url, apiKey: "secret", maxRetries: 0 }), given[0]!, said);
  child!.kill("SIGINT");
  return { result, code: (await finished).code };
}

describe("gemma-2-2b-finetune on the sample", () => {
  beforeAll(async () => {
    const { code, error } = await mmmlu(short("run"));
    expect(error).toMatch(/parameters trained, [\d,]+ frozen/);
    expect(code).toBe(0);
  });

  it("measures what is published and what stands beside it", () => {
    const metrics = json("run", "metrics.json");
    for (const stage of ["baseline", "final"]) {
      const { n, additionalMetrics } = metrics[stage];
      for (const name of ["letterLogProbabilities", "lastMatch", "withoutTwinInTrain"])
        expect(additionalMetrics[name]).toMatchObject({ n, accuracy: expect.any(Number), interval: expect.any(Array) });
      expect(additionalMetrics.nearTies.n).toBe(n);
      expect(additionalMetrics.nearTies.count).toBeLessThanOrEqual(n);
    }
    for (const part of ["validation", "test"])
      expect(metrics.losses[part].perplexity).toBeCloseTo(Math.exp(metrics.losses[part].loss), 9);
    expect(metrics.training.validations).toHaveLength(2);
    const [first, second] = metrics.training.validations.map(({ loss }: { loss: number }) => loss);
    expect(metrics.training.bestEpoch).toBe(first < second ? 1 : 2);
    // The losses are those of the epoch that was kept.
    expect(metrics.losses.validation.loss).toBeCloseTo(Math.min(first, second), 5);
    expect(metrics.example).toMatchObject({
      question: "Was ist die Hauptstadt von Frankreich?",
      choices: ["Berlin", "Paris", "London", "Madrid"],
      answer: "B",
      reply: expect.any(String),
    });
    const report = readFileSync(at("run", "report.html"), "utf8");
    for (const part of [
      "One worked example",
      "Hauptstadt von Frankreich",
      "Near ties, final",
      "As published, by plain",
    ])
      expect(report).toContain(part);
    expect(json("run", "run.json").configuration.model.quantization).toBe("fp4");
  });

  it("generates replies to their end, since the last match counts too", () => {
    const replies = lines("run", "replies.jsonl");
    expect(replies.length).toBeGreaterThan(100);
    for (const { finish, tokens } of replies) expect(finish === "end" || tokens.completion === 5).toBe(true);
  });

  it("saves a PEFT adapter with the tokenizer and its chat template", () => {
    expect(readdirSync(at("run", "model")).sort()).toEqual([
      "README.md",
      "adapter_config.json",
      "adapter_model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
      "training_environment.json",
    ]);
    expect(json("run", "model", "adapter_config.json")).toMatchObject({
      peft_type: "LORA",
      task_type: "CAUSAL_LM",
      r: 8,
      lora_alpha: 16,
      bias: "none",
    });
    expect(json("run", "model", "training_environment.json")).toEqual({
      format: 1,
      base: { source: at("run", "base"), revision: null },
      quantization: { kind: "fp4", doubleQuantization: false, blockSize: 64 },
      torchDtype: "float32",
      computeType: "float32",
    });
    expect(json("run", "model", "tokenizer_config.json").chat_template).toContain("<start_of_turn>");
  });

  it("is served on the quantized base that it was trained on, through the openai client, and answers as the run did", async () => {
    const corpus = new Map(
      (await loadCorpus({ source: "sample", languages: ["DE_DE", "FR_FR"] })).rows.map((row) => [row.id, row]),
    );
    const asked = lines("run", "predictions.jsonl")
      .filter(({ stage }) => stage === "final")
      .slice(0, 8);
    const ask = (client: OpenAI, model: string) =>
      Promise.all(
        asked.map(({ id }) =>
          client.completions.create({
            model,
            prompt: gemma2Prompt(corpus.get(id)!),
            max_tokens: 5,
            temperature: 0,
            logprobs: 4,
          }),
        ),
      );
    /**
     * How far the first tokens' log-probabilities are from those of the run, over the letters that are among the
     * likeliest.
     */
    const distance = (completions: readonly OpenAI.Completion[]): number => {
      const found = completions.flatMap(({ choices: [choice] }, row) =>
        [..."ABCD"].flatMap((letter, at) => {
          const value = choice!.logprobs!.top_logprobs![0]?.[` ${letter}`];
          return value === undefined ? [] : [Math.abs(value - asked[row].logProbabilities[at])];
        }),
      );
      expect(found.length).toBeGreaterThanOrEqual(asked.length);
      return Math.max(...found);
    };
    const { code } = await served([at("run")], async (client, model, said) => {
      expect(said).toMatch(/linear layers in fp4/);
      expect(said).toMatch(/held as fp4 weights: the adapter was trained on such, says training_environment\.json/);
      expect((await client.models.list()).data.map(({ id }) => id)).toEqual([model]);
      const completions = await ask(client, model);
      expect(completions.map(({ choices: [choice] }) => choice!.text)).toEqual(asked.map(({ reply }) => reply));
      expect(distance(completions)).toBeLessThan(1e-3);
      await expect(
        client.completions.create({ model, prompt: Array<number>(600).fill(5), max_tokens: 1 }),
      ).rejects.toMatchObject({ status: 400, message: expect.stringContaining("maximum context length is 512") });
      await expect(client.completions.create({ model, prompt: [2, 99_999], max_tokens: 1 })).rejects.toMatchObject({
        status: 400,
      });
      const chat = await client.chat.completions.create({
        model,
        messages: [
          { role: "system", content: "Be brief." },
          { role: "user", content: "Hi" },
        ],
        max_tokens: 2,
        temperature: 0,
      });
      expect(chat.choices).toHaveLength(1);
    });
    expect(code).toBe(0);
    // On the base as it was before quantization the numbers are others.
    await served([at("run"), "--quantization", "none"], async (client, model, said) => {
      expect(said).toMatch(
        /not quantized, as asked, though the adapter was trained on fp4 weights: its answers are others/,
      );
      expect(distance(await ask(client, model))).toBeGreaterThan(1e-3);
    });
    // An adapter from elsewhere, whose folder does not tell: that is said, with the flag that chooses.
    cpSync(at("run", "model"), at("elsewhere"), { recursive: true });
    rmSync(at("elsewhere", "training_environment.json"));
    await served([at("elsewhere")], async (client, model, said) => {
      expect(said).toMatch(/the adapter's folder does not tell what it was trained on.*--quantization nf4/);
      expect(distance(await ask(client, model))).toBeGreaterThan(1e-3);
    });
    await served([at("elsewhere"), "--quantization", "fp4"], async (client, model) =>
      expect(distance(await ask(client, model))).toBeLessThan(1e-3),
    );
  });

  it("is served on a base that has moved, where --base says so", async () => {
    cpSync(at("run", "base"), at("moved"), { recursive: true });
    cpSync(at("run", "model"), at("adapter"), { recursive: true });
    writeFileSync(
      at("adapter", "adapter_config.json"),
      JSON.stringify({ ...json("adapter", "adapter_config.json"), base_model_name_or_path: at("gone") }),
    );
    const without = await mmmlu(["serve", at("adapter"), "--port", "0"]);
    expect([without.code, without.error]).toEqual([1, expect.stringMatching(/there is no folder .*gone/)]);
    expect(
      (
        await served(
          [at("adapter"), "--base", at("moved")],
          async (client, model) => (await client.completions.create({ model, prompt: "x", max_tokens: 1 })).choices,
        )
      ).result,
    ).toHaveLength(1);
  });

  it("merges, checked; what is no such adapter is refused, and nothing is left", async () => {
    const merged = await mmmlu(["merge", at("run"), "--out", at("merged")]);
    expect(merged.error).toMatch(/trained on fp4 weights: the merged model, .* answers a little differently/);
    expect(merged.error).toMatch(/log-probabilities differ by at most \d.*it cannot show that these are PEFT's/);
    expect(merged.code).toBe(0);
    for (const [name, change] of [
      ["other", { base_model_name_or_path: at("merged"), r: 4 }],
      ["dora", { use_dora: true }],
      ["some-layers", { layers_to_transform: [0] }],
      ["rank", { r: 0 }],
    ] as const) {
      cpSync(at("run", "model"), at(name), { recursive: true });
      writeFileSync(
        at(name, "adapter_config.json"),
        JSON.stringify({ ...json(name, "adapter_config.json"), ...change }),
      );
      const { code, error } = await mmmlu(["merge", at(name), "--out", at(`${name}-merged`)]);
      expect([name, code]).toEqual([name, 1]);
      expect(error).not.toMatch(/fault/);
      expect(existsSync(at(`${name}-merged`))).toBe(false);
    }
  });
});

describe("bad settings", () => {
  it.each<[string, string[], number, RegExp]>([
    [
      "modules that match nothing",
      ["--set", 'lora.targetModules=["wi_0"]'],
      1,
      /no layer of the model is named wi_0[^]*q_proj, k_proj/,
    ],
    ["a rank of 0", ["--set", "lora.rank=0"], 2, /lora\.rank/],
    [
      "a quantization that the device has not got",
      ["--set", "model.quantization=int8", "--device", "webgpu"],
      2,
      /int8 base weights are for the cpu, not for webgpu/,
    ],
    ["a quantization that there is not", ["--set", "model.quantization=fp8"], 2, /model\.quantization/],
    ["quantized weights without adapters", ["--set", "lora=null"], 2, /quantized weights are frozen/],
  ])("%s", async (name, more, status, message) => {
    const { code, error } = await mmmlu(short(name.replaceAll(" ", "-"), ...more));
    expect(error).toMatch(message);
    expect(code).toBe(status);
  });
});

describe("Gemma on the hub, which is gated", () => {
  it.each<[string, Record<string, string>, RegExp]>([
    [
      "without a token",
      { HF_TOKEN: "" },
      /\(401\)[^]*Accept its licence at http\S+\/google\/gemma-2-2b, then set HF_TOKEN/,
    ],
    [
      "with one whose account accepted nothing",
      { HF_TOKEN: "hf_other" },
      /\((401|403)\)[^]*Accept its licence at http\S+\/google\/gemma-2-2b with the account that HF_TOKEN belongs to/,
    ],
  ])("%s: the error says where to accept its licence", async (_name, environment, message) => {
    const hub = await hubImitation([
      {
        type: "model",
        name: "google/gemma-2-2b",
        commit: "a".repeat(40),
        gated: true,
        files: { "config.json": "{}", "tokenizer.json": "{}" },
      },
    ]);
    try {
      for (const given of [
        ["serve", "google/gemma-2-2b", "--port", "0"],
        short("gated", "--set", "tokenizer.source=google/gemma-2-2b"),
      ]) {
        const { code, error } = await mmmlu(given, {
          environment: { HF_ENDPOINT: hub.url, HF_HOME: at("home"), ...environment },
        });
        expect(error).toMatch(message);
        expect(code).toBe(1);
      }
    } finally {
      await hub.close();
    }
  });
});
