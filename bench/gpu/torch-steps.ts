import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { runTimes, writeBenchBundle } from "../train/engine.js";
import { type MEASURED, type Rates, ratesOf, WARM_UP, workOf } from "./model-steps.js";

export interface TorchMeasuring {
  /** A Python that may have what engines/torch/requirements.txt lists. */
  readonly python: string;
  readonly device: "auto" | "cpu";
  readonly steps: number;
  readonly small: boolean;
  readonly profile: boolean;
}

export interface TorchMeasured extends Rates {
  readonly experiment: string;
  /** The card's name, or CPU. */
  readonly device: string;
  readonly precision: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly productTflops: number;
  readonly peakBytes: number | null;
  readonly profile?: Readonly<Record<string, number>>;
}

/** Why the PyTorch engine cannot be measured; undefined where it can. */
export async function noTorch({
  python,
  device,
}: Pick<TorchMeasuring, "python" | "device">): Promise<string | undefined> {
  const asks = "import torch, transformers, peft, bitsandbytes; print(torch.cuda.is_available())";
  try {
    const { stdout } = await promisify(execFile)(python, ["-c", asks], { maxBuffer: 1 << 24 });
    return device === "cpu" || stdout.trim().endsWith("True") ? undefined : `torch of ${python} finds no GPU`;
  } catch (error) {
    const why = ((error as { stderr?: string }).stderr || String(error)).trim();
    return `${python} has no PyTorch engine: ${why.split("\n").at(-1)}`;
  }
}

/** The same rows and steps as `measureModel` takes, by engines/torch/train.py in one process. */
export async function measureTorch(
  experiment: (typeof MEASURED)[number],
  { python, device, steps, small, profile }: TorchMeasuring,
): Promise<TorchMeasured> {
  const { configuration, json, modelType, batches } = workOf(experiment, small);
  const { training, lora, model } = configuration;
  const folder = mkdtempSync(join(tmpdir(), "bench-gpu-torch-"));
  try {
    const at = (name: string): string => join(folder, name);
    writeFileSync(at("config.json"), JSON.stringify(json));
    const examples = Array.from({ length: WARM_UP + steps }, (_, step) => batches(step).flat()).flat();
    await writeBenchBundle({
      folder: at("bundle"),
      examples: examples.map((row, i) => ({ ...row, id: `row ${i}` })),
      kind: modelType === "t5" ? "seq2seq-lm" : "causal-lm",
      model: { source: experiment, modelType, quantization: model.quantization as "none" | "fp4" | "nf4" },
      lora: lora && {
        ...{ r: lora.r, lora_alpha: lora.alpha, lora_dropout: lora.dropout, bias: "none" },
        target_modules: lora.targetModules,
      },
      batchSize: training.batchSize,
      gradientAccumulationSteps: training.gradientAccumulationSteps,
      learningRate: 1e-5,
      weightDecay: training.weightDecay,
      inOrder: true,
    });
    const script = fileURLToPath(new URL("../python/gpu_torch.py", import.meta.url));
    execFileSync(
      python,
      [
        ...[script, at("config.json"), at("result.json"), ...(profile ? ["--profile"] : [])],
        ...["--bundle", at("bundle"), "--out", at("out"), "--processes", "1", "--device", device],
      ],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
    const { stepSeconds, ...run } = runTimes(at("out"));
    const told = JSON.parse(readFileSync(at("result.json"), "utf8")) as Pick<
      TorchMeasured,
      "productTflops" | "peakBytes" | "profile"
    >;
    return { experiment, ...run, ...told, ...ratesOf(experiment, small, stepSeconds, told.productTflops) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
