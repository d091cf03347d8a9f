import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sampleTokenizerFolder } from "../src/experiments/index.js";
import { openDevice } from "../src/graph/index.js";
import { createTinyDecoder, gemma2 } from "../src/models/index.js";
import { loadTokenizer } from "../src/tokens/index.js";
import { mmmlu } from "./command.js";
import { largestDifference, logOf, short } from "./training.js";

/** A Python that has what engines/torch/requirements.txt lists. */
const python = process.env["MMMLU_TEST_TORCH"];
if (!python)
  console.warn("skipped: training by PyTorch (set MMMLU_TEST_TORCH to a Python with engines/torch/requirements.txt)");

const folder = mkdtempSync(join(tmpdir(), "mmmlu-torch-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (...names: string[]): string => join(folder, ...names);
const json = (...names: string[]): any => JSON.parse(readFileSync(at(...names), "utf8"));

/** Starts a bundle's program in so many processes by torchrun; `started` may signal it. */
const train = (bundle: string, out: string, processes: number, started?: (child: ChildProcess) => void) =>
  new Promise<{ code: number | null; said: string }>((resolve) => {
    const torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", String(processes)];
    const program = [join(at(bundle), "train.py"), "--out", at(out), "--processes", String(processes)];
    const child = spawn(python!, [...(processes > 1 ? torchrun : []), ...program, "--device", "cpu"], {
      env: { ...process.env, OMP_NUM_THREADS: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece: Buffer) => (said += piece.toString()));
    child.on("close", (code) => resolve({ code, said }));
    started?.(child);
  });

/** Kills the first process of a run as soon as its log has a step. */
const killedAt = (out: string, step: number) => (child: ChildProcess) => {
  const watch = setInterval(() => {
    const log = at(out, "train-log.jsonl");
    if (!existsSync(log) || !readFileSync(log, "utf8").includes(`"step": ${step},`)) return;
    clearInterval(watch);
    process.kill(Number(/process (\d+)/.exec(readFileSync(at(out, "lock"), "utf8"))![1]), "SIGKILL");
  }, 5);
  child.on("close", () => clearInterval(watch));
};

describe.skipIf(!python)("PyTorch", () => {
  beforeAll(async () => {
    expect(await mmmlu(["export", "training", ...short(), "--out", at("bundle")])).toMatchObject({ code: 0 });
    expect(await mmmlu(["run", ...short(), "--out", at("own")])).toMatchObject({ code: 0 });
  });

  it("takes our steps with three processes, two without rows in a step, and after a kill -9; the run compares", async () => {
    const killed = await train("bundle", "three", 3, killedAt("three", 7));
    expect([killed.code, existsSync(at("three", "result.json"))]).toEqual([1, false]);
    const { code, said } = await train("bundle", "three", 3);
    expect([code, said]).toEqual([0, expect.stringMatching(/begin step [4-7] of 12/)]);
    const [own, three] = [logOf(at("own")), logOf(at("three"))];
    expect(three.map(({ step }) => step)).toEqual(own.map(({ step }) => step));
    expect(largestDifference(three, own)).toBeLessThan(1e-5);
    const imported = await mmmlu([
      "import",
      "training",
      short()[0]!,
      at("three"),
      ...short().slice(1),
      "--out",
      at("x"),
    ]);
    expect(imported.code).toBe(0);
    expect(json("x", "metrics.json").final.confusion).toEqual(json("own", "metrics.json").final.confusion);
    expect(json("x", "metrics.json").training.bestEpoch).toBe(json("own", "metrics.json").training.bestEpoch);
    expect((await train("bundle", "three", 3)).said).toContain("holds this run's result already");
  });

  it("by finetune --engine torch: adapters on 4-bit weights, validated, in other micro-batches", async () => {
    const lora = 'lora={"r":4,"alpha":8,"dropout":0,"targetModules":["q_proj","v_proj","down_proj"]}';
    const more = [lora, "model.quantization=nf4", "evaluation.baseline=false", "training.adamBetas=[0,0.999]"];
    const settings = more.flatMap((one) => ["--set", one]);
    const given = ["finetune", "gemma-2-2b-finetune", ...short().slice(1), ...settings];
    expect((await mmmlu([...given, "--out", at("own-nf4")])).code).toBe(0);
    const engine = ["--engine", "torch", "--python", python!, "--engine-device", "cpu", "--micro-batch", "3"];
    const { code, error, out } = await mmmlu([...given, ...engine, "--gradient-checkpointing", "--out", at("nf4")]);
    expect([code, code === 0 ? "" : error]).toEqual([0, ""]);
    expect(out).toMatch(/accuracy after training/);
    expect(error).toMatch(/training: 12 steps/);
    expect(largestDifference(logOf(at("nf4")), logOf(at("own-nf4")))).toBeLessThan(1e-5);
    expect(json("nf4", "model", "training_environment.json").quantization.kind).toBe("nf4");
    expect(json("nf4", "manifest.json").engine).toMatchObject({ processes: 1, precision: "float32" });
  });

  it("stopped by Ctrl-C keeps a checkpoint, and the same command goes on", async () => {
    const given = ["finetune", ...short("--set", "training.epochs=5"), "--out", at("stopped")];
    const engine = ["--engine", "torch", "--python", python!, "--engine-device", "cpu"];
    const stopped = await mmmlu([...given, ...engine], {
      started: (child) => {
        const watch = setInterval(() => {
          const log = at("stopped", "engine", "train-log.jsonl");
          if (!existsSync(log) || !readFileSync(log, "utf8").includes('"step": 9,')) return;
          clearInterval(watch);
          child.kill("SIGINT");
        }, 5);
        child.on("close", () => clearInterval(watch));
      },
    });
    expect([stopped.code, stopped.error]).toEqual([1, expect.stringMatching(/stopped at step \d+[^]*same command/)]);
    const step = logOf(at("stopped", "engine")).length;
    const again = await mmmlu([...given, ...engine]);
    expect(again.code).toBe(0);
    expect(readFileSync(at("stopped", "engine", "engine.log"), "utf8")).not.toContain("begin step 0 of");
    const lines = logOf(at("stopped"));
    expect(lines.length).toBeGreaterThan(step);
    // The step at which it stopped has its line, too.
    const steps = lines.filter((line) => "loss" in line).map((line) => line.step);
    expect(steps).toEqual(Array.from({ length: 5 * 6 }, (_, i) => i + 1));
  });

  it("is refused where bitsandbytes would misread 4-bit weights", async () => {
    const source = await sampleTokenizerFolder("gemma");
    const loaded = await loadTokenizer({ source });
    const sizes = {
      vocabSize: loaded.vocabularySize,
      hiddenSize: 48,
      eosTokenIds: [loaded.tokenId(loaded.eosToken!)!],
    };
    const device = await openDevice("cpu", { threads: 1 });
    const tokenizer = ["tokenizer.json", "tokenizer_config.json"].map((file) => join(source, file));
    const model = await createTinyDecoder(device, gemma2, sizes, 5, { tokenizer });
    await model.save(at("narrow"));
    await model.dispose();
    await device.close();
    const lora = 'lora={"r":4,"alpha":8,"dropout":0,"targetModules":["q_proj"]}';
    const more = [lora, "model.quantization=nf4", "evaluation.baseline=false", `model.source=${at("narrow")}`];
    const given = ["finetune", "gemma-2-2b-finetune", ...short().slice(1), ...more.flatMap((one) => ["--set", one])];
    const engine = ["--engine", "torch", "--python", python!, "--engine-device", "cpu", "--out", at("misread")];
    const { code, error } = await mmmlu([...given, ...engine]);
    expect([code, error]).toEqual([1, expect.stringMatching(/misreads 4-bit weights of 48 columns on a CPU/)]);
  });

  it("is refused where there is no such Python, or none with PyTorch", async () => {
    const refused = async (given: string, message: RegExp) => {
      const { code, error } = await mmmlu([
        "finetune",
        ...short(),
        "--engine",
        "torch",
        "--python",
        given,
        "--out",
        at("no"),
      ]);
      expect([code, error]).toEqual([1, expect.stringMatching(message)]);
    };
    await refused(at("no-python"), /there is no Python that can be started as .*no-python/);
    const { code, error } = await mmmlu(["finetune", ...short(), "--processes", "2"]);
    expect([code, error]).toEqual([2, expect.stringContaining("--processes is for another engine")]);
  });
});
