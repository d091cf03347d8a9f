import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SafetensorsFile } from "../src/models/index.js";
import { mmmlu } from "./command.js";
import { short, TRAINING } from "./training.js";

/*
 * The contract with training engines, without one: what a bundle holds, what is refused of it and of results, and that
 * whole results become a run. The engine itself: test/torch.test.ts.
 */

const folder = mkdtempSync(join(tmpdir(), "mmmlu-bundle-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (...names: string[]): string => join(folder, ...names);
const json = (...names: string[]): any => JSON.parse(readFileSync(at(...names), "utf8"));
const sha = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");
const lines = (path: string): any[] =>
  readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

const LORA = 'lora={"r":4,"alpha":8,"dropout":0.1,"targetModules":["q","wo"]}';

beforeAll(async () => {
  expect(await mmmlu(["export", "training", ...short(), "--out", at("bundle")])).toMatchObject({ code: 0 });
  expect(await mmmlu(["run", ...short(), "--out", at("own")])).toMatchObject({ code: 0 });
});

describe("a bundle", () => {
  it("holds rows, steps and recipe, and the hashes of all", () => {
    const job = json("bundle", "job.json");
    const [rows, steps] = [lines(at("bundle", "train.jsonl")), lines(at("bundle", "steps.jsonl"))];
    expect(rows.map(({ id }) => id)).toEqual(json("own", "splits.json").train);
    expect(job).toMatchObject({ format: 1, kind: "seq2seq-lm", model: { modelType: "t5", inBundle: true } });
    expect(job.training).toMatchObject({ steps: steps.length, epochs: TRAINING.epochs, dropout: 0 });
    // Every epoch has every row once; the run's own steps and rates.
    const perEpoch = job.training.stepsPerEpoch;
    for (let epoch = 0; epoch < TRAINING.epochs; epoch++)
      expect(
        steps
          .slice(epoch * perEpoch, (epoch + 1) * perEpoch)
          .flatMap((step) => step.rows)
          .sort((a, b) => a - b),
      ).toEqual(rows.map((_, i) => i));
    const logged = lines(at("own", "train-log.jsonl")).filter((line) => "loss" in line);
    expect(steps.map((line) => line.learningRate)).toEqual(logged.map((line) => line.learningRate));
    const sums = readFileSync(at("bundle", "SHA256SUMS"), "utf8").trim().split("\n");
    const files = readdirSync(at("bundle"), { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    expect(sums).toHaveLength(files.length - 1);
    for (const line of sums) expect(sha(at("bundle", line.slice(66)))).toBe(line.slice(0, 64));
  });

  it("is the same for the same experiment, and begins adapters as a run does", async () => {
    for (const out of ["one", "two"])
      expect(
        (
          await mmmlu(
            ["export", "training", ...short(), "--set", LORA, "--set", "model.quantization=nf4"].concat(
              "--out",
              at(out),
            ),
          )
        ).code,
      ).toBe(0);
    expect(readFileSync(at("one", "SHA256SUMS"), "utf8")).toBe(readFileSync(at("two", "SHA256SUMS"), "utf8"));
    const start = await SafetensorsFile.open(at("one", "adapter-start", "adapter_model.safetensors"));
    const names = [...start.tensors.keys()];
    expect(names).toContain("base_model.model.decoder.block.0.layer.1.EncDecAttention.q.lora_A.weight");
    for (const name of names.filter((one) => one.includes("lora_B")))
      expect(new Set(await start.readFloat32(name))).toEqual(new Set([0]));
    await start.close();
    expect(json("one", "adapter-start", "adapter_config.json")).toMatchObject({ r: 4, task_type: "SEQ_2_SEQ_LM" });
  });

  it.each([
    ["int8", ["model.quantization=int8", LORA], 1, /int8 cannot be trained elsewhere/],
    ["modules that are none", ['lora={"r":4,"alpha":8,"dropout":0,"targetModules":["q_proj"]}'], 1, /named q_proj/],
    ["rows that are too long", ["maxLength=20"], 1, /more than the 20/],
  ])("refuses %s", async (_name, settings, code, message) => {
    const given = settings.flatMap((one) => ["--set", one]);
    const finished = await mmmlu(["export", "training", ...short(), ...given, "--out", at("refused")]);
    expect([finished.code, finished.error]).toEqual([code, expect.stringMatching(message)]);
    expect(existsSync(at("refused"))).toBe(false);
  });

  it("refuses folders that hold something else, experiments that train nothing, and no folder at all", async () => {
    const full = await mmmlu(["export", "training", ...short(), "--out", at("own")]);
    expect([full.code, full.error]).toEqual([
      1,
      expect.stringMatching(/is there already, and what it holds \(.*\) would be lost/),
    ]);
    const kind = await mmmlu(["export", "training", "gemma-3-27b-baseline", "--sample", "--out", at("kind")]);
    expect([kind.code, kind.error]).toEqual([2, expect.stringContaining("kind is evaluate")]);
    const nowhere = await mmmlu(["export", "training", ...short()]);
    expect([nowhere.code, nowhere.error]).toEqual([2, expect.stringContaining("--out")]);
  });
});

/** An engine's folder as one leaves it, whose weights are those of this program's own run. */
function results(name: string, change: Record<string, unknown> = {}): string {
  cpSync(at("own", "train-log.jsonl"), at(name, "train-log.jsonl"));
  copyFileSync(at("own", "model", "model.safetensors"), at(name, "trained.safetensors"));
  const { steps, rows, loss, seconds, rowsPerSecond, validations, bestEpoch } = json("own", "metrics.json").training;
  const job = json("bundle", "job.json");
  const result = {
    ...{ format: 1, job: sha(at("bundle", "job.json")), identity: job.identity, files: job.files },
    ...{ steps, rows, loss, seconds, rowsPerSecond, bestEpoch, processes: 2, precision: "float32", device: "a GPU" },
    validations: validations.map(({ epoch, step, loss: mean }: any) => ({ epoch, step, loss: mean })),
    weights: sha(at(name, "trained.safetensors")),
    engine: { torch: "2.15.0", program: "0" },
    ...change,
  };
  writeFileSync(at(name, "result.json"), JSON.stringify(result));
  return at(name);
}
const importing = (from: string, out: string, ...more: string[]) =>
  mmmlu(["import", "training", ...short(...more).slice(0, 1), from, ...short(...more).slice(1), "--out", at(out)]);

describe("results of an engine", () => {
  it("become a run as any other, which says who trained it", async () => {
    const { code, out } = await importing(results("engine"), "imported");
    expect(code).toBe(0);
    expect(out).toMatch(/accuracy after training/);
    const [own, imported] = [json("own", "metrics.json"), json("imported", "metrics.json")];
    expect(imported.final.confusion).toEqual(own.final.confusion);
    expect(imported.baseline.confusion).toEqual(own.baseline.confusion);
    expect(imported.training).toEqual(own.training);
    expect(sha(at("imported", "model", "model.safetensors"))).toBe(sha(at("own", "model", "model.safetensors")));
    const manifest = json("imported", "manifest.json");
    expect(manifest.engine).toMatchObject({ torch: "2.15.0", processes: 2, device: "a GPU" });
    expect(manifest.notes.join()).toContain("Trained by torch 2.15.0: 2 processes, a GPU, float32.");
    expect(lines(at("imported", "train-log.jsonl"))).toEqual(lines(at("own", "train-log.jsonl")));
    expect((await mmmlu(["compare", at("own"), at("imported"), "--out", at("compared")])).code).toBe(0);
  });

  it("are refused where they are of another experiment, changed, not complete or not there", async () => {
    const refused = async (from: string, message: RegExp, ...more: string[]) => {
      const { code, error } = await importing(from, "not-imported", ...more);
      expect([code, error]).toEqual([1, expect.stringMatching(message)]);
      rmSync(at("not-imported"), { recursive: true, force: true });
    };
    await refused(at("engine"), /results of another experiment/, "--set", "training.learningRate=1e-5");
    await refused(
      results("steps", { files: { ...json("bundle", "job.json").files, "steps.jsonl": "0".repeat(64) } }),
      /trained on another steps\.jsonl/,
    );
    await refused(
      results("weights", { weights: "0".repeat(64) }),
      /trained\.safetensors is not as the engine wrote it/,
    );
    await refused(results("format", { format: 2 }), /format: is not this version's/);
    await refused(results("strange", { loss: "low" }), /result\.json: loss: /);
    rmSync(at("strange", "result.json"));
    await refused(at("strange"), /has not come to its end \(its log ends at step \d+\)/);
    const short = lines(at("own", "train-log.jsonl")).slice(0, -1);
    const cut = results("cut");
    writeFileSync(join(cut, "train-log.jsonl"), short.map((line) => `${JSON.stringify(line)}\n`).join(""));
    await refused(cut, /train-log\.jsonl is not of a whole run of this experiment: it has 1 validation/);
    await refused(results("fewer", { steps: 6 }), /result\.json is not of a whole run.*6 steps, and there are 12/);
    const odd = results("odd");
    const weights = readFileSync(join(odd, "trained.safetensors"));
    weights.writeFloatLE(Number.NaN, weights.length - 4);
    writeFileSync(join(odd, "trained.safetensors"), weights);
    writeFileSync(
      join(odd, "result.json"),
      JSON.stringify({ ...json("odd", "result.json"), weights: sha(join(odd, "trained.safetensors")) }),
    );
    await refused(odd, /the trained weights are damaged: .*trained\.safetensors: .* holds NaN/);
    await refused(at("bundle"), /holds no results of training/);
    await refused(at("nowhere"), /there is no folder/);
  });
});

describe("a run that is there", () => {
  /** All files but the log of what was said. */
  const filesOf = (run: string): Record<string, string> =>
    Object.fromEntries(
      readdirSync(at(run), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name !== "run.log")
        .map((entry) => join(entry.parentPath, entry.name))
        .map((path) => [path, sha(path)]),
    );

  it("stays as it is where another engine's weights, or other rows, would come into it", async () => {
    const stays = async (run: string, message: RegExp, start: () => ReturnType<typeof mmmlu>) => {
      const before = filesOf(run);
      const { code, error } = await start();
      expect([code, error]).toEqual([1, expect.stringMatching(message)]);
      expect(filesOf(run)).toEqual(before);
    };
    await stays("own", /own holds a run that this program trains itself/, () => importing(at("engine"), "own"));
    await stays("own", /results of another experiment/, () =>
      importing(results("foreign", { identity: "0".repeat(64) }), "own"),
    );
    await stays("imported", /imported holds a run that another engine trained/, () =>
      mmmlu(["run", ...short(), "--out", at("imported")]),
    );
    const header = "question,A,B,C,D,answer,subject";
    const rows = (word: string) =>
      Array.from(
        { length: 40 },
        (_, n) => `Is ${word} number ${n}?,one ${n},two,three,four,${"ABCD"[n % 4]},s${n % 2}`,
      );
    const given = ["run", ...short("--set", `data.source=${at("rows.csv")}`, "--set", "data.languages=null")];
    writeFileSync(at("rows.csv"), [header, ...rows("water")].join("\n"));
    expect(await mmmlu([...given, "--out", at("texts")])).toMatchObject({ code: 0 });
    writeFileSync(at("rows.csv"), [header, ...rows("the")].join("\n"));
    await stays("texts", /is a checkpoint of other rows: texts have changed since/, () =>
      mmmlu([...given, "--out", at("texts")]),
    );
  });
});

const python = ((): boolean => {
  try {
    execFileSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 10))"], { stdio: "ignore" });
    return true;
  } catch {
    console.warn("skipped: what train.py refuses before it loads PyTorch (there is no python3 of 3.10 or later)");
    return false;
  }
})();

/** Starts a bundle's program with a Python that need not have PyTorch. */
const start = (bundle: string, given: readonly string[], environment: Record<string, string> = {}) =>
  new Promise<{ code: number | null; error: string }>((resolve) => {
    const child = spawn("python3", [join(bundle, "train.py"), ...given], {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let error = "";
    child.stderr.on("data", (piece: Buffer) => (error += piece.toString()));
    child.on("close", (code) => resolve({ code, error }));
  });

describe.skipIf(!python)("train.py refuses, before it loads PyTorch,", () => {
  it("a bundle that was changed or lacks a file", async () => {
    for (const [name, change] of [
      ["changed", (path: string) => writeFileSync(path, readFileSync(path, "utf8").replace("rows", "rowz"))],
      ["lacking", (path: string) => rmSync(path)],
    ] as const) {
      cpSync(at("bundle"), at(name), { recursive: true });
      change(at(name, "steps.jsonl"));
      const { code, error } = await start(at(name), ["--out", at("out"), "--processes", "1"]);
      expect([code, error]).toEqual([2, expect.stringMatching(/steps\.jsonl is (not as it was written|missing)/)]);
    }
    expect(existsSync(at("out"))).toBe(false);
  });

  it("another number of processes than it was told", async () => {
    const given = ["--out", at("out"), "--processes", "3"];
    const alone = await start(at("bundle"), given);
    expect([alone.code, alone.error]).toEqual([2, expect.stringContaining("--processes says 3, and 1 runs here")]);
    const slurm = { SLURM_STEP_NUM_TASKS: "2", SLURM_PROCID: "0", SLURM_LOCALID: "0" };
    expect((await start(at("bundle"), given, slurm)).error).toContain("--processes says 3, and 2 run here");
    const torchrun = { WORLD_SIZE: "8", RANK: "0", LOCAL_RANK: "0" };
    expect((await start(at("bundle"), given, torchrun)).error).toContain("--processes says 3, and 8 run here");
  });

  it("a folder of another bundle, one that is in use, and one that the sender does not see", async () => {
    const [out, given] = [at("taken"), ["--out", at("taken"), "--processes", "1"]];
    const hold =
      "import fcntl, sys; f = open(sys.argv[1], 'a+'); fcntl.flock(f, 2); f.write('host, process 1'); f.flush(); print(); input()";
    cpSync(at("bundle"), out, { recursive: true });
    const holder = spawn("python3", ["-c", hold, join(out, "lock")], { stdio: ["pipe", "pipe", "ignore"] });
    await new Promise((resolve) => holder.stdout.once("data", resolve));
    const inUse = await start(at("bundle"), given);
    expect([inUse.code, inUse.error]).toEqual([
      2,
      expect.stringContaining("is in use by another run (host, process 1)"),
    ]);
    holder.kill();
    await new Promise((resolve) => holder.once("close", resolve));
    writeFileSync(join(out, "bundle.json"), JSON.stringify({ job: "0" }));
    expect((await start(at("bundle"), given)).error).toContain("holds a run of another bundle");
    writeFileSync(join(out, "marker"), "another");
    expect((await start(at("bundle"), [...given, "--marker", "mine"])).error).toContain(
      "is not the folder that the sender sees",
    );
  });
});
