/*
 * Fine-tuning, measured: rows a second, effective GFLOPS beside the raw matrix-product rate of the same run, peak
 * memory.
 *
 *   npm run bench:train [-- MODEL] [--steps 12] [--rounds 2] [--python PYTHON] [--further] [--length N] [--profile] [--json]
 *   npm run bench:train -- [MODEL] --engine torch --python PYTHON [--layers 4] [--steps 6] [--rounds 2] [--json]
 *
 * MODEL is flan-t5-base (the default): its real shape with random weights, real prompts of the real lengths, batches of
 * 8, as the published recipe trains. Each round is a process of its own. With --python (an interpreter that has torch
 * and transformers) bench/python does the same batches with Hugging Face's Trainer in turn. The first two steps of a
 * process warm it up and do not count. --profile also tells which operations take the time, by the runtime's own
 * profile. --further measures Python also as an expert would set it up: flan-t5-base with rows of like lengths together,
 * gemma-2-2b without padding to 300 tokens. --length gives every row of flan-t5-base so many tokens. --engine torch
 * measures engines/torch/train.py in the place of this program's own engine: beside the published recipe, on the same
 * device (a GPU where torch finds one), the same steps in turn. With --layers the model has so many layers of its real
 * widths: it takes less time and memory, and what is outside the layers weighs more.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: "string" },
    rounds: { type: "string", default: "2" },
    python: { type: "string" },
    further: { type: "boolean", default: false },
    length: { type: "string" },
    engine: { type: "string" },
    layers: { type: "string" },
    profile: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const model = positionals[0] ?? "flan-t5-base";
const torch = values.engine !== undefined;
if (torch ? values.engine !== "torch" || values.python === undefined : values.layers !== undefined) {
  console.error(
    "--engine is torch, and needs --python: an interpreter that has engines/torch/requirements.txt; --layers is of it.",
  );
  process.exit(2);
}
const file = new URL(`./train/${torch ? "torch" : "bench"}-${model}.ts`, import.meta.url);
if (!/^[\w.-]+$/.test(model) || !existsSync(fileURLToPath(file))) {
  console.error(`There is no bench of ${model}; there is flan-t5-base, and what else bench/train/bench-*.ts names.`);
  process.exit(2);
}
const { bench } = (await import(file.href)) as { bench: (options: BenchOptions) => Promise<void> };
await bench({
  steps: Number(values.steps ?? (torch ? 6 : 12)),
  rounds: Number(values.rounds),
  python: values.python,
  layers: values.layers === undefined ? undefined : Number(values.layers),
  further: values.further,
  length: values.length === undefined ? undefined : Number(values.length),
  profile: values.profile,
  json: values.json,
});

export interface BenchOptions {
  /** Optimizer steps of each process. */
  readonly steps: number;
  /** Processes of each side. */
  readonly rounds: number;
  /** A Python interpreter to compare with. */
  readonly python?: string;
  /** With the PyTorch engine: layers of the model, where they are not to be all. */
  readonly layers?: number;
  /** Whether Python is measured also as an expert would set it up. */
  readonly further: boolean;
  /** Tokens of every row; as they are unless given. */
  readonly length?: number;
  /** Whether to tell where the time of loss and gradients went, by the runtime's own profile (flan-t5-base only). */
  readonly profile: boolean;
  readonly json: boolean;
}
