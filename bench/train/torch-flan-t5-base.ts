import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { flanT5Prompt } from "../../src/answer/index.js";
import { openDevice } from "../../src/graph/index.js";
import { createT5 } from "../../src/models/index.js";
import { loadTokenizer } from "../../src/tokens/index.js";
import type { BenchOptions } from "../train.js";
import { FLAN_T5_BASE } from "./bench-flan-t5-base.js";
import { benchBeside } from "./engine.js";
import { drawExamples, SHARED } from "./examples.js";
import type { WorkOfRun } from "./t5.js";

const BATCH = 8;

/** The PyTorch engine beside the Trainer, which pads to the longest row of each batch. */
export async function bench({ steps, rounds, python, layers, json }: BenchOptions): Promise<void> {
  const all = FLAN_T5_BASE.numLayers;
  const config = { ...FLAN_T5_BASE, numLayers: layers ?? all, numDecoderLayers: layers ?? all };
  const tokenizer = await loadTokenizer({ source: join(SHARED, "tokenizers", "t5") });
  const examples = await drawExamples(steps * BATCH, tokenizer, flanT5Prompt, 256);
  const folder = mkdtempSync(join(tmpdir(), "bench-torch-"));
  try {
    const device = await openDevice("cpu");
    const model = await createT5(device, config, 1);
    await model.save(join(folder, "base"));
    await model.dispose();
    await device.close();
    const work = join(folder, "work.json");
    writeFileSync(work, JSON.stringify({ config, examples, batchSize: BATCH } satisfies WorkOfRun));
    await benchBeside(
      {
        model: "flan-t5-base",
        recipe: `Trainer, batches of ${BATCH} padded to their longest row`,
        layers: `${config.numLayers} of ${all} in encoder and decoder each`,
      },
      {
        ...{ folder: join(folder, "bundle"), examples, kind: "seq2seq-lm", lora: null, batchSize: BATCH },
        model: { source: join(folder, "base"), modelType: "t5" },
        ...{ gradientAccumulationSteps: 1, learningRate: 2e-5, weightDecay: 0.01 },
      },
      { script: "train_t5.py", work },
      { python: python!, rounds, json, warmUp: 2 },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
