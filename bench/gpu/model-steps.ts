import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { longestRow } from "../../src/experiments/choose-device.js";
import type { FinetuneConfiguration } from "../../src/experiments/configuration/schema.js";
import {
  type DeviceNeed,
  type DevicePlan,
  deviceNeed,
  difference,
  type ModelConfig,
  planFor,
  SIMPLEST,
} from "../../src/experiments/device-needs.js";
import { experiments } from "../../src/experiments/presets/index.js";
import { type DeviceCounters, type DeviceName, openDevice } from "../../src/graph/index.js";
import { type Example, Random } from "../../src/models/index.js";
import { Stepping } from "../../src/train/index.js";
import { profileShares } from "./profile-shares.js";
import { randomGemma, randomT5 } from "./random-models.js";

export interface ModelMeasuring {
  readonly device: DeviceName;
  readonly steps: number;
  readonly plan: "auto" | "smallest" | "roomiest";
  readonly small: boolean;
  readonly profile: boolean;
  readonly memory: number | undefined;
  readonly productTflops: { readonly matmul: number; readonly transposed: number };
}

/** How quick steps were. */
export interface Rates {
  readonly stepSeconds: readonly number[];
  readonly rowsPerSecond: number;
  readonly tokensPerSecond: number;
  /** Of the products that the step makes, recomputed ones included. */
  readonly tflops: number;
  /** Beside the large product on the same device. */
  readonly shareOfProduct: number;
}

export interface ModelMeasured extends Rates {
  readonly experiment: string;
  readonly plan: DevicePlan;
  /** Bytes, as told before. */
  readonly need: number;
  readonly loadSeconds: number;
  /** The first step compiles. */
  readonly firstStepSeconds: number;
  readonly step: DeviceCounters;
  readonly losses: readonly number[];
  readonly profile?: Readonly<Record<string, number>>;
}

/** The published experiments that train. */
export const MEASURED = ["flan-t5-finetune", "gemma-2-2b-finetune"] as const;

/** Steps that do not count. */
export const WARM_UP = 2;
const ROOMIEST: DevicePlan = { expanded: true, mergeBatches: true };

/** Keys of config.json that make a model small. */
const SMALL = {
  t5: { vocab_size: 512, d_model: 64, d_kv: 16, d_ff: 64, num_layers: 1, num_decoder_layers: 1, num_heads: 4 },
  gemma2: {
    vocab_size: 512,
    hidden_size: 64,
    intermediate_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 16,
  },
} as const;

/** What is trained of an experiment: the published shape, or a small one. */
export function workOf(experiment: (typeof MEASURED)[number], small: boolean) {
  const { preset, finetune } = experiments[experiment];
  const configuration: FinetuneConfiguration = preset;
  const modelType = String(finetune!.modelConfig!["model_type"]) as keyof typeof SMALL;
  const json: Record<string, unknown> = { ...finetune!.modelConfig, ...(small ? SMALL[modelType] : {}) };
  const batches = batchesOf(configuration, json["vocab_size"] as number, small);
  return { configuration, modelType, json, batches };
}

/**
 * Rates of steps behind those that warm up.
 * @param stepSeconds of all steps
 * @param product 10¹² operations a second of the large product on the same device
 */
export function ratesOf(
  experiment: (typeof MEASURED)[number],
  small: boolean,
  stepSeconds: readonly number[],
  product: number,
): Rates {
  const { json, modelType, batches, configuration } = workOf(experiment, small);
  const counted = stepSeconds.slice(WARM_UP);
  const all = counted.reduce((sum, one) => sum + one, 0);
  const rows = counted.flatMap((_, i) => batches(WARM_UP + i).flat());
  const flops = rows.reduce((sum, row) => sum + rowFlops(json, modelType, row, configuration.lora !== null), 0);
  return {
    stepSeconds: counted,
    rowsPerSecond: rows.length / all,
    tokensPerSecond: rows.reduce((sum, { input }) => sum + input.length, 0) / all,
    tflops: flops / all / 1e12,
    shareOfProduct: flops / all / 1e12 / product,
  };
}

export async function measureModel(
  experiment: (typeof MEASURED)[number],
  { device: name, steps, plan: wanted, small, profile, memory, productTflops }: ModelMeasuring,
): Promise<ModelMeasured> {
  const { configuration, json, modelType, batches } = workOf(experiment, small);
  const config: ModelConfig = { path: experiment, json, modelType };
  const need = await needOf(configuration, config, name, wanted, memory);
  const folder = mkdtempSync(join(tmpdir(), "bench-gpu-"));
  const device = await openDevice(name, profile ? { profilePrefix: join(folder, "profile") } : {});
  try {
    const loading = performance.now();
    const model =
      modelType === "t5" ? await randomT5(device, config) : await randomGemma(device, config, configuration, need.plan);
    const loadSeconds = (performance.now() - loading) / 1000;
    const { training } = configuration;
    const trained = model.parameters.filter((parameter) => parameter.trained);
    const stepping = new Stepping(model, trained, {
      betas: training.adamBetas,
      epsilon: training.adamEpsilon,
      weightDecay: training.weightDecay,
      maxGradNorm: training.maxGradNorm,
      seed: training.seed,
      dropout: true,
      mergeBatches: need.plan.mergeBatches,
      checkpointFolder: folder,
    });
    const seconds: number[] = [];
    const losses: number[] = [];
    let before = device.counters;
    for (let step = 0; step < WARM_UP + steps; step++) {
      before = device.counters;
      const start = performance.now();
      losses.push((await stepping.take(step, batches(step), 1e-5)).loss);
      seconds.push((performance.now() - start) / 1000);
    }
    const step = difference(before, device.counters);
    await stepping.dispose();
    await model.dispose();
    const best = Math.max(productTflops.matmul, productTflops.transposed);
    await device.close();
    return {
      experiment,
      plan: need.plan,
      need: need.memory,
      loadSeconds,
      firstStepSeconds: seconds[0]!,
      ...ratesOf(experiment, small, seconds, best),
      step,
      losses,
      ...(profile ? { profile: profileShares(folder) } : {}),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function needOf(
  configuration: FinetuneConfiguration,
  config: ModelConfig,
  name: DeviceName,
  wanted: ModelMeasuring["plan"],
  memory: number | undefined,
): Promise<DeviceNeed> {
  const longest = longestRow(configuration);
  if (wanted === "auto" && name !== "cpu") return planFor(configuration, config, name, longest, memory);
  return deviceNeed(configuration, config, name, longest, wanted === "roomiest" ? ROOMIEST : SIMPLEST);
}

/** Batches of random tokens, of lengths as MMMLU's rows have them: 60 to the filter's 256, 150 on average. */
function batchesOf(configuration: FinetuneConfiguration, vocabulary: number, small: boolean) {
  const { batchSize, gradientAccumulationSteps } = configuration.training;
  const { input: longest, target } = longestRow(configuration);
  return (step: number): Example[][] => {
    const random = new Random(7, step);
    const row = (id: number): Example => {
      const length = small ? 4 + random.below(4) : Math.round(60 + (longest - 60) * random.uniform() ** 1.2);
      const token = (): number => 3 + random.below(vocabulary - 3);
      return {
        id: `row ${id}`,
        input: Array.from({ length }, token),
        target: Array.from({ length: target }, token),
      };
    };
    return Array.from({ length: gradientAccumulationSteps }, (_, batch) =>
      Array.from({ length: batchSize }, (_, i) => row(batch * batchSize + i)),
    );
  };
}

/**
 * Floating-point operations of a row's products in a step. T5: forward and twice that backward. Gemma's layers: forward
 * twice (recomputed going back) and once for the states' gradient, weights being frozen; adapters' are left out.
 */
function rowFlops(
  json: Readonly<Record<string, unknown>>,
  modelType: keyof typeof SMALL,
  { input, target }: Example,
  adapters: boolean,
): number {
  const n = (key: string): number => json[key] as number;
  if (modelType === "t5") {
    const inner = n("num_heads") * n("d_kv");
    const encoder =
      input.length * (4 * n("d_model") * inner + 3 * n("d_model") * n("d_ff")) + 2 * inner * input.length ** 2;
    const cross = 2 * inner * n("d_model") + 2 * n("num_heads") * n("d_model") * input.length;
    const decoder = target.length * (6 * n("d_model") * inner + 3 * n("d_model") * n("d_ff") + cross);
    const output = target.length * n("d_model") * n("vocab_size");
    return 6 * (n("num_layers") * encoder + n("num_decoder_layers") * decoder + output);
  }
  const tokens = input.length + target.length - 1;
  const [heads, keyValues, head] = [n("num_attention_heads"), n("num_key_value_heads"), n("head_dim")];
  const linear = n("hidden_size") * (2 * heads * head + 2 * keyValues * head + 3 * n("intermediate_size"));
  const layer = tokens * linear + 2 * heads * head * tokens ** 2;
  const times = adapters ? 3 : 4;
  return 2 * (times * n("num_hidden_layers") * layer + 2 * target.length * n("hidden_size") * n("vocab_size"));
}
