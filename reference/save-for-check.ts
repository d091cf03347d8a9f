/*
 * Trains tiny models for a few steps, saves them as the product does, and writes the log-probabilities of every token
 * after some prompts, for reference/check_saved.py.
 *
 *   node --import tsx reference/save-for-check.ts FOLDER
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDevice } from "../src/graph/index.js";
import {
  addLora,
  createTinyDecoder,
  createTinyT5,
  type Example,
  gemma2,
  gemma3,
  type LanguageModel,
  llama,
  mergeAdapterFolder,
  openModel,
  qwen2,
  qwen3,
  Random,
} from "../src/models/index.js";
import { train } from "../src/train/index.js";

const folder = process.argv[2]!;
mkdirSync(folder, { recursive: true });
const device = await openDevice("cpu");
const random = new Random(1);
const VOCABULARY = 90;
const tokens = (count: number): number[] => Array.from({ length: count }, () => 3 + random.below(VOCABULARY - 3));
const examples: Example[] = Array.from({ length: 40 }, (_, i) => ({
  id: String(i),
  input: [2, ...tokens(3 + (i % 17))],
  target: [...tokens(1), 1],
}));
const prompts = examples.slice(0, 5).map(({ input }) => input);
const all = Array.from({ length: VOCABULARY }, (_, token) => token);
const written: unknown[] = [];

async function trained(model: LanguageModel): Promise<void> {
  await train(
    model,
    { train: examples },
    {
      epochs: 1,
      batchSize: 4,
      gradientAccumulationSteps: 1,
      maxGradNorm: 1,
      seed: 1,
      dropout: false,
      learningRate: 5e-3,
      schedule: "linear",
      warmupRatio: 0,
      betas: [0.9, 0.999],
      epsilon: 1e-8,
      weightDecay: 0.01,
      loggingSteps: 10,
      saveSteps: 1000,
      checkpointFolder: join(folder, `checkpoints-${written.length}`),
      validateEachEpoch: false,
      loadBestModelAtEnd: false,
      earlyStoppingPatience: null,
      identity: "check",
    },
  );
}

async function write(
  name: string,
  architecture: string,
  model: LanguageModel,
  saved: string,
  adapter: string | null,
): Promise<void> {
  written.push({
    name,
    architecture,
    model: saved,
    adapter,
    prompts,
    logProbabilities: await model.letterLogProbabilities(prompts, all),
  });
}

const create: Record<string, () => Promise<LanguageModel>> = {
  t5: () => createTinyT5(device, { vocabSize: VOCABULARY, dropoutRate: 0 }, 3),
};
for (const one of [gemma2, gemma3, qwen2, qwen3, llama]) {
  const slidingWindow = "sliding_window" in one.config ? { slidingWindow: 6 } : {};
  create[one.modelType] = () => createTinyDecoder(device, one, { vocabSize: VOCABULARY, ...slidingWindow }, 3);
}
for (const [architecture, make] of Object.entries(create)) {
  const model = await make();
  await trained(model);
  await model.save(join(folder, architecture));
  await write(`${architecture}, all weights trained`, architecture, model, architecture, null);
  await addLora(
    model.weights,
    {
      rank: 4,
      alpha: 8,
      dropout: 0,
      modules: architecture === "t5" ? ["q", "v", "wi_0", "wo"] : ["q_proj", "v_proj", "gate_proj", "down_proj"],
      base: join(folder, architecture),
    },
    1,
  );
  await trained(model);
  const adapter = `${architecture}-adapter`;
  await model.save(join(folder, adapter));
  await write(`${architecture}, adapter`, architecture, model, architecture, adapter);
  await mergeAdapterFolder(join(folder, adapter), join(folder, `${architecture}-merged`));
  const { model: merged } = await openModel(join(folder, `${architecture}-merged`), device);
  await write(`${architecture}, merged`, architecture, merged, `${architecture}-merged`, null);
}
writeFileSync(join(folder, "logits.json"), JSON.stringify(written));
