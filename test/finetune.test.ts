import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { swiftShaderEnvironment } from "../src/graph/testing/swiftshader.js";
import { type Finished, mmmlu } from "./command.js";

const folder = mkdtempSync(join(tmpdir(), "mmmlu-finetune-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (...names: string[]): string => join(folder, ...names);
const json = (...names: string[]): any => JSON.parse(readFileSync(at(...names), "utf8"));
const sha = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");
const lines = (path: string): any[] =>
  readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

/** A short fine-tuning of the tiny T5, dropout on. */
const short = (out: string, ...more: string[]): string[] => [
  "run",
  "flan-t5-finetune",
  "--sample",
  "--out",
  at(out),
  "--set",
  "training.epochs=2",
  "--set",
  "training.dropout=0.1",
  "--set",
  "training.saveSteps=20",
  "--set",
  "training.loggingSteps=10",
  "--set",
  "data.rowsPerLanguage=600",
  "--set",
  "modelLink=null",
  "--set",
  "training.validateEachEpoch=true",
  "--set",
  "training.loadBestModelAtEnd=true",
  ...more,
];

describe("a fine-tuning run", () => {
  let whole = "";
  beforeAll(async () => {
    const { code, error } = await mmmlu(short("whole"));
    expect(error).not.toMatch(/fault/);
    expect(code).toBe(0);
    whole = sha(at("whole", "model", "model.safetensors"));
  });

  it("leaves what the contract says", () => {
    const metrics = json("whole", "metrics.json");
    for (const stage of ["baseline", "final"])
      expect(metrics[stage]).toMatchObject({
        n: expect.any(Number),
        correct: expect.any(Number),
        accuracy: expect.any(Number),
        confusion: expect.any(Array),
        subjects: expect.any(Object),
        unreadable: expect.any(Number),
      });
    const { steps, rows, loss, seconds, rowsPerSecond } = metrics.training;
    const splits = json("whole", "splits.json");
    expect(rows).toBe(2 * splits.train.length);
    expect(steps).toBe(2 * Math.ceil(splits.train.length / 16));
    for (const value of [loss, seconds, rowsPerSecond]) expect(value).toBeGreaterThan(0);
    const log = lines(at("whole", "train-log.jsonl"));
    expect(log.filter((line) => "loss" in line).map(({ step }) => step)).toEqual([
      ...Array.from({ length: Math.floor(steps / 10) }, (_, i) => 10 * (i + 1)),
      ...(steps % 10 ? [steps] : []),
    ]);
    expect(log.filter((line) => "validationLoss" in line)).toHaveLength(2);
    expect(readdirSync(at("whole", "model")).sort()).toEqual([
      "README.md",
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    expect(json("whole", "manifest.json")).toMatchObject({
      sample: true,
      seeds: { training: 42 },
      split: { kind: "grouped" },
      model: { trainedParameters: expect.any(Number) },
    });
    expect(metrics.audit.test.either).toBe(0);
    expect(lines(at("whole", "predictions.jsonl"))).toHaveLength(2 * splits.test.length);
  });

  it.each(["SIGKILL", "SIGINT"] as const)("stopped by %s, goes on to the same weights bit for bit", async (signal) => {
    const out = `stopped-${signal}`;
    // After the second checkpoint, somewhere between two.
    const stopped = await mmmlu(short(out), {
      started: (child) => {
        const watch = setInterval(() => {
          const log = at(out, "train-log.jsonl");
          if (existsSync(log) && readFileSync(log, "utf8").includes('"step":50')) {
            clearInterval(watch);
            child.kill(signal);
          }
        }, 5);
        child.on("close", () => clearInterval(watch));
      },
    });
    expect(stopped.code).toBe(signal === "SIGINT" ? 1 : null);
    if (signal === "SIGINT") expect(stopped.error).toMatch(/stopped at step \d+[^]*the same command again/);
    expect(existsSync(at(out, "manifest.json"))).toBe(false);
    const { code } = await mmmlu(short(out));
    expect(code).toBe(0);
    expect(sha(at(out, "model", "model.safetensors"))).toBe(whole);
    expect(
      lines(at(out, "train-log.jsonl"))
        .filter((line) => "loss" in line)
        .map(({ step, loss }) => [step, loss]),
    ).toEqual(
      lines(at("whole", "train-log.jsonl"))
        .filter((line) => "loss" in line)
        .map(({ step, loss }) => [step, loss]),
    );
  });

  it("is refused while another runs into the same folder", async () => {
    let second: Promise<{ code: number | null; error: string }> | undefined;
    const first = await mmmlu(short("twice"), {
      started: () => {
        const watch = setInterval(() => {
          if (second || !existsSync(at("twice", "train-log.jsonl"))) return;
          clearInterval(watch);
          second = mmmlu(short("twice"));
        }, 5);
      },
    });
    expect(first.code).toBe(0);
    const { code, error } = await second!;
    expect(code).toBe(1);
    expect(error).toMatch(/is in use by another run/);
  });

  it("is not moved aside by --fresh while it goes on", async () => {
    let second: Promise<{ code: number | null; error: string }> | undefined;
    const first = await mmmlu(short("fresh"), {
      started: () => {
        const watch = setInterval(() => {
          if (second || !existsSync(at("fresh", "train-log.jsonl"))) return;
          clearInterval(watch);
          second = mmmlu(short("fresh", "--fresh"));
        }, 5);
      },
    });
    expect((await second!).error).toMatch(/is in use by another run/);
    expect(first.code).toBe(0);
    expect(readdirSync(folder).filter((name) => name.startsWith("fresh"))).toEqual(["fresh"]);
  });

  it("killed while a checkpoint takes the other's place, goes on from there, log and all", async () => {
    cpSync(at("whole"), at("between"), { recursive: true });
    for (const gone of ["manifest.json", "metrics.json", "model"]) rmSync(at("between", gone), { recursive: true });
    // What kill -9 leaves between the two renames, and of a model that was being saved.
    renameSync(at("between", "checkpoints", "last"), at("between", "checkpoints", "last.4711-0123abcd.old"));
    cpSync(at("between", "figures"), at("between", "model.4711-0123abcd.tmp"), { recursive: true });
    writeFileSync(at("between", "lock"), "999999999");
    const { code } = await mmmlu(short("between"));
    expect(code).toBe(0);
    expect(sha(at("between", "model", "model.safetensors"))).toBe(whole);
    expect(readFileSync(at("between", "train-log.jsonl"), "utf8")).toBe(
      readFileSync(at("whole", "train-log.jsonl"), "utf8"),
    );
    expect(
      readdirSync(at("between"), { recursive: true, encoding: "utf8" }).filter((name) =>
        /\.(tmp|old)$|lock/.test(name),
      ),
    ).toEqual([]);
  });

  // A limit on the size of files fails a write half-way, as a full disk does.
  it.skipIf(process.platform === "win32")(
    "on a disk that is full keeps the last checkpoint and nothing half-written, and goes on when there is room",
    async () => {
      const limited = async (kibibytes: string): Promise<string> =>
        (
          await promisify(execFile)("bash", [
            "-c",
            `ulimit -f ${kibibytes}; "$@"; echo "code $?" >&2`,
            "bash",
            process.execPath,
            "dist/cli/main.js",
            ...short("full"),
          ])
        ).stderr;
      expect(await limited("1000")).toMatch(/cannot write .*moments\.safetensors: [^]*code 1\n$/);
      const left = readdirSync(at("full"), { recursive: true, encoding: "utf8" });
      expect(left.filter((name) => /model|manifest|metrics|checkpoints.|\.tmp$|lock/.test(name))).toEqual([]);
      expect(await limited("unlimited")).toMatch(/code 0\n$/);
      expect(sha(at("full", "model", "model.safetensors"))).toBe(whole);
    },
  );

  it("ends on a loss that is not finite, naming step and rows", async () => {
    const { code, error } = await mmmlu(
      short("diverged", "--set", "training.learningRate=1e30", "--set", "training.warmupRatio=0"),
    );
    expect(code).toBe(1);
    expect(error).toMatch(/(loss|norm) is (NaN|Infinity|-Infinity) in step \d+, rows DE_DE|FR_FR/);
  });

  it("tells what it trains and needs, in plain lines where there is no terminal", async () => {
    const { error } = await mmmlu(short("told", "--set", "training.epochs=1"));
    expect(error).toMatch(/[\d,]+ parameters trained, 0 frozen; memory needed [\d.]+ GiB of [\d.]+ GiB free; cpu/);
    expect(error).not.toContain("\r");
  });

  it("refuses a tokenizer that does not fit the model, and a model without all its weights", async () => {
    const other = at("other-tokenizer");
    cpSync(at("whole", "model"), other, { recursive: true });
    const tokenizer = JSON.parse(readFileSync(join(other, "tokenizer.json"), "utf8"));
    const { "▁Question": _first, ...vocabulary } = tokenizer.model.vocab;
    const [word] = Object.keys(vocabulary).filter((token) => /^▁\p{L}{4,}$/u.test(token));
    tokenizer.model.vocab = Object.fromEntries(
      Object.entries(tokenizer.model.vocab).map(([token, id]) => [token === word ? "▁Elsewhere" : token, id]),
    );
    writeFileSync(join(other, "tokenizer.json"), JSON.stringify(tokenizer));
    const refused = await mmmlu(short("does-not-fit", "--model", other));
    expect(refused.code).toBe(1);
    expect(refused.error).toMatch(
      /the tokenizer of the sample's own does not fit .*: its token \d+ is ".*", and that of the tokenizer beside the weights "▁Elsewhere"/,
    );
    const config = json("other-tokenizer", "config.json");
    writeFileSync(join(other, "config.json"), JSON.stringify({ ...config, num_layers: 3 }));
    rmSync(join(other, "tokenizer.json"));
    const missing = await mmmlu(short("misses", "--model", other));
    expect(missing.code).toBe(1);
    expect(missing.error).toMatch(/has no weight encoder\.block\.2\./);
    expect(existsSync(at("misses", "model"))).toBe(false);
  });

  it("refuses a row that is longer than the experiment takes", async () => {
    const { code, error } = await mmmlu(short("long", "--set", "maxLength=20"));
    expect(code).toBe(1);
    expect(error).toMatch(/the row (DE_DE|FR_FR)\/\w+\/\d+ has \d+ tokens, more than the 20/);
  });
});

describe("LoRA", () => {
  it("trains adapters alone, quantized base and all; merging gives a model that answers alike", async () => {
    const lora = 'lora={"r":4,"alpha":8,"dropout":0.05,"targetModules":["q","v","wi_0","wi_1","wo"]}';
    const { code, error } = await mmmlu(short("lora", "--set", lora, "--set", "model.quantization=nf4"));
    expect(error).toMatch(/parameters trained, [\d,]+ frozen/);
    expect(code).toBe(0);
    expect(readdirSync(at("lora", "model")).sort()).toEqual([
      "README.md",
      "adapter_config.json",
      "adapter_model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
      "training_environment.json",
    ]);
    expect(json("lora", "model", "adapter_config.json")).toMatchObject({
      peft_type: "LORA",
      task_type: "SEQ_2_SEQ_LM",
      r: 4,
      lora_alpha: 8,
    });
    const log = lines(at("lora", "train-log.jsonl")).filter((line) => "loss" in line);
    expect(log.at(-1).loss).toBeLessThan(log[0].loss);

    // An adapter of a saved model: trained on it, merged into it.
    const base = at("whole", "model");
    expect((await mmmlu(short("on-base", "--set", lora, "--model", base))).code).toBe(0);
    expect(json("on-base", "manifest.json").model).toMatchObject({
      source: base,
      commit: null,
      weights: sha(join(base, "model.safetensors")),
    });
    const merged = await mmmlu(["merge", at("on-base"), "--out", at("merged")]);
    expect(merged.error).toMatch(/log-probabilities differ by at most \d/);
    expect(merged.code).toBe(0);
    const other = await mmmlu(["merge", at("on-base"), "--base", at("lora", "model"), "--out", at("not-merged")]);
    expect(other.code).toBe(1);
    expect(existsSync(at("not-merged"))).toBe(false);
    // A folder that holds something is never replaced.
    const files = readdirSync(folder).sort();
    const occupied = await mmmlu(["merge", at("on-base"), "--out", folder]);
    expect([occupied.code, occupied.error]).toEqual([1, expect.stringMatching(/is there already[^]*would be lost/)]);
    expect(readdirSync(folder).sort()).toEqual(files);
  });

  it("has dropout of its own, whatever the model's is", async () => {
    const log = async (out: string, dropout: number) => {
      const { code } = await mmmlu(
        short(
          out,
          "--set",
          `lora={"r":4,"alpha":8,"dropout":${dropout},"targetModules":["q"]}`,
          "--set",
          "training.dropout=0",
          "--set",
          "training.epochs=1",
          "--set",
          "data.rowsPerLanguage=200",
        ),
      );
      expect(code).toBe(0);
      return lines(at(out, "train-log.jsonl"))
        .filter((line) => "loss" in line)
        .map(({ loss }) => loss);
    };
    expect(await log("lora-dropped", 0.5)).not.toEqual(await log("lora-whole", 0));
  });

  it("refuses modules that match nothing, naming those that there are", async () => {
    const { code, error } = await mmmlu(
      short("no-modules", "--set", 'lora={"r":4,"alpha":8,"dropout":0,"targetModules":["q_proj"]}'),
    );
    expect(code).toBe(1);
    expect(error).toMatch(/no layer of the model is named q_proj[^]*q, k, v, o/);
  });
});

const driver = swiftShaderEnvironment();
describe.skipIf(!driver)(
  `a fine-tuning run on WebGPU${driver ? "" : " (skipped: chromium's SwiftShader is not installed)"}`,
  () => {
    it("gives what the CPU gives, and the process ends well", async () => {
      const tiny = (out: string, ...more: string[]): string[] =>
        short(
          out,
          "--set",
          "training.epochs=1",
          "--set",
          "data.rowsPerLanguage=40",
          "--set",
          "training.batchSize=16",
          "--set",
          "training.dropout=0",
          "--set",
          "training.loggingSteps=1",
          ...more,
        );
      let onGpu: Finished | undefined;
      // The software driver may die as it starts, before a step is logged; a run that dies later has failed.
      for (let attempt = 1; attempt <= 4; attempt++) {
        onGpu = await mmmlu(tiny("gpu", "--device", "webgpu"), { environment: driver! });
        if (onGpu.code !== null || existsSync(at("gpu", "train-log.jsonl"))) break;
      }
      expect(onGpu!.error).not.toMatch(/fault/);
      expect(onGpu!.code).toBe(0);
      expect((await mmmlu(tiny("cpu"))).code).toBe(0);
      const [gpu, cpu] = ["gpu", "cpu"].map((run) =>
        lines(at(run, "train-log.jsonl"))
          .filter((line) => "loss" in line)
          .map(({ loss }) => loss as number),
      );
      expect(gpu).toHaveLength(cpu!.length);
      for (const [step, loss] of gpu!.entries()) expect(Math.abs(loss - cpu![step]!) / cpu![step]!).toBeLessThan(1e-3);
      expect(json("gpu", "metrics.json").final.n).toBe(json("cpu", "metrics.json").final.n);
    });
  },
);
