/*
 * Fine-tuning, measured: rows a second, effective GFLOPS beside the raw matrix-product rate of the same run, peak
 * memory.
 *
 *   npm run bench:train [-- MODEL] [--steps 12] [--rounds 2] [--python PYTHON] [--engine torch] [--profile] [--json]
 *
 * MODEL is flan-t5-base (the default): its real shape with random weights, real prompts of the real lengths, batches of
 * 8, as the published recipe trains. Each round is a process of its own. With --python (an interpreter that has torch
 * and transformers) bench/python does the same batches with Hugging Face's Trainer in turn. The first two steps of a
 * process warm it up and do not count. --profile also tells which operations take the time, by the runtime's own
 * profile. --engine torch measures engines/torch/train.py in the place of this program's own engine: beside the same
 * recipe, on the same device (a GPU where torch finds one), in turn.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: "string", default: "12" },
    rounds: { type: "string", default: "2" },
    python: { type: "string" },
    engine: { type: "string" },
    profile: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const model = positionals[0] ?? "flan-t5-base";
const file = new URL(`./train/bench-${model}.ts`, import.meta.url);
if (!/^[\w.-]+$/.test(model) || !existsSync(fileURLToPath(file))) {
  console.error(`There is no bench of ${model}; there is flan-t5-base, and what else bench/train/bench-*.ts names.`);
  process.exit(2);
}
const { bench } = (await import(file.href)) as { bench: (options: BenchOptions) => Promise<void> };
await bench({
  steps: Number(values.steps),
  rounds: Number(values.rounds),
  python: values.python,
  engine: engineOf(values.engine, values.python),
  profile: values.profile,
  json: values.json,
});

function engineOf(engine: string | undefined, python: string | undefined): "torch" | undefined {
  if (engine === undefined) return undefined;
  if (model !== "flan-t5-base") {
    console.error("--engine torch is measured on flan-t5-base only.");
    process.exit(2);
  }
  if (engine === "torch" && python !== undefined) return engine;
  console.error("--engine is torch, and needs --python: an interpreter that has engines/torch/requirements.txt.");
  process.exit(2);
}

export interface BenchOptions {
  /** Optimizer steps of each process. */
  readonly steps: number;
  /** Processes of each side. */
  readonly rounds: number;
  /** A Python interpreter to compare with. */
  readonly python?: string;
  /** Who is measured beside the published recipe: this program's own engine unless given. */
  readonly engine?: "torch";
  /** Whether to tell where the time of loss and gradients went, by the runtime's own profile (flan-t5-base only). */
  readonly profile: boolean;
  readonly json: boolean;
}
