import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decoderWeightShapes } from "../../src/models/decoder/weight-shapes.js";
import { linearLayersOf, writeAdapterStart } from "../../src/models/index.js";
import type { BenchOptions } from "../train.js";
import { ACCUMULATION, BATCH, GEMMA_2_2B, gemmaExamples, writeModel } from "./bench-gemma-2-2b.js";
import { benchBeside, type EngineWork, orderOf } from "./engine.js";

const MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

/** The PyTorch engine beside PEFT and bitsandbytes on rows padded to 300 tokens; both compute in bfloat16. */
export async function bench({ steps, rounds, python, layers, json }: BenchOptions): Promise<void> {
  const all = GEMMA_2_2B.numHiddenLayers;
  const model = writeModel(layers);
  const examples = await gemmaExamples(steps * BATCH * ACCUMULATION);
  const folder = mkdtempSync(join(tmpdir(), "bench-torch-"));
  try {
    const bundle = join(folder, "bundle");
    mkdirSync(join(bundle, "adapter-start"), { recursive: true });
    const shapes = [...decoderWeightShapes({ ...GEMMA_2_2B, numHiddenLayers: layers ?? all })];
    writeAdapterStart(
      join(bundle, "adapter-start"),
      linearLayersOf(shapes.map(([name, shape]) => ({ name, shape }))),
      { rank: 32, alpha: 16, dropout: 0.05, base: model, modules: MODULES },
      "CAUSAL_LM",
      42,
    );
    const engine: EngineWork = {
      ...{ folder: bundle, examples, kind: "causal-lm", batchSize: BATCH, gradientAccumulationSteps: ACCUMULATION },
      lora: { r: 32, alpha: 16, dropout: 0.05, targetModules: MODULES },
      model: { source: model, modelType: "gemma2", torchDtype: "float32", quantization: "fp4" },
      ...{ learningRate: 1e-4, weightDecay: 0 },
    };
    const work = join(folder, "work.json");
    writeFileSync(work, JSON.stringify({ folder: model, examples, batchSize: BATCH, order: orderOf(engine) }));
    await benchBeside(
      {
        model: "gemma-2-2b QLoRA",
        recipe: `PEFT and bitsandbytes, FP4, steps of ${ACCUMULATION} × ${BATCH} rows padded to 300`,
        layers: `${layers ?? all} of ${all}`,
      },
      engine,
      { script: "train_gemma.py", work },
      { python: python!, rounds, json, warmUp: steps > 1 ? 1 : 0 },
      ["--precision", "bfloat16"],
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
