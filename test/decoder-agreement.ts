/*
 * Holds our decoder-only models against the golden files of reference/decoder.py on a device, and tells each distance;
 * see t5-agreement.ts.
 *
 *   node --import tsx test/decoder-agreement.ts webgpu gemma2
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Device, type DeviceName, openDevice } from "../src/graph/index.js";
import {
  type DecoderModel,
  type Example,
  loadAdapter,
  loadDecoder,
  readLoss,
  SafetensorsFile,
  weightStore,
} from "../src/models/index.js";
import { type LoggedStep, train } from "../src/train/index.js";
import { type Distance, relativeDistance } from "./t5-agreement.js";

interface Golden {
  readonly examples: readonly { readonly input: number[]; readonly target: number[] }[];
  readonly loss: number;
  readonly greedy: readonly number[][];
}

/** The models of reference/decoder.py, with what their run trains. */
export const VARIANTS = {
  gemma2: { trains: "adapter" },
  gemma3: { trains: "adapter" },
  "gemma3-sees": { trains: "nothing" },
  qwen2: { trains: "all" },
  qwen3: { trains: "adapter" },
  llama: { trains: "adapter" },
  "llama-biases": { trains: "all" },
} as const;
export type Variant = keyof typeof VARIANTS;

const golden = (variant: Variant, ...names: string[]): string =>
  join(fileURLToPath(new URL("../reference/golden/", import.meta.url)), variant, ...names);
const json = <T>(variant: Variant, name: string): T => JSON.parse(readFileSync(golden(variant, name), "utf8")) as T;
const examplesOf = (rows: Golden["examples"]): Example[] =>
  rows.map(({ input, target }, index) => ({ id: String(index), input, target }));

const BASES = {
  none: { kind: "none" },
  fp4: { kind: "fp4" },
  "nf4-double": { kind: "nf4", doubleQuantization: true },
} as const;
export type Base = keyof typeof BASES;

/** The golden base, held as named, with the golden adapter. */
async function adapted(variant: Variant, base: Base, device: Device): Promise<DecoderModel> {
  const model = await loadDecoder(golden(variant, "base"), device, { store: weightStore(BASES[base], device) });
  await loadAdapter(model.weights, golden(variant, "adapter"));
  return model;
}

async function gradientsOf(
  model: DecoderModel,
  examples: readonly Example[],
): Promise<{ loss: number; gradients: Map<string, Float32Array> }> {
  const gradients = new Map<string, Float32Array>();
  const { lossSum, tokens } = await readLoss(
    model.device,
    await model.lossAndGradients(examples, {
      scale: 1 / examples.reduce((sum, { target }) => sum + target.length, 0),
      receive: async (parameter, gradient) =>
        void gradients.set(parameter.name, Float32Array.from((await model.device.read(gradient)) as Float32Array)),
    }),
  );
  return { loss: lossSum / tokens, gradients };
}

/**
 * Log-probabilities, by the model's own logits, of what stands at the labelled places: differences of logits that the
 * golden ones must show too.
 */
async function labelLogits(model: DecoderModel, examples: Golden["examples"]): Promise<Float32Array> {
  const rows: number[] = [];
  for (const { input, target } of examples) {
    for (let length = 0; length < target.length; length++) {
      let seen: Float32Array | undefined;
      // One token is asked for; its logits are looked at and none is kept.
      await model.generate([[...input, ...target.slice(0, length)]], {
        maximumNewTokens: 1,
        choose: (_row, logits) => {
          seen = logits.slice();
          return 0;
        },
      });
      rows.push(...seen!);
    }
  }
  return Float32Array.from(rows);
}

/** The bare model: logits, loss, gradients of every parameter, greedy replies in one batch. */
export async function bareModel(variant: Variant, device: Device): Promise<Distance[]> {
  const { examples, loss, greedy } = json<Golden>(variant, "golden.json");
  const stored = await SafetensorsFile.open(golden(variant, "golden.safetensors"));
  const model = await loadDecoder(golden(variant, "base"), device);
  try {
    const found = await gradientsOf(model, examplesOf(examples));
    const distances: Distance[] = [
      {
        name: "logits",
        distance: relativeDistance(await labelLogits(model, examples), await stored.readFloat32("logits")),
      },
      { name: "loss", distance: Math.abs(found.loss - loss) / loss },
    ];
    for (const { name } of model.parameters)
      distances.push({
        name: `gradient ${name}`,
        distance: relativeDistance(found.gradients.get(name) ?? [], await stored.readFloat32(`gradient.${name}`)),
      });
    const replies = await model.generate(
      examples.map(({ input }) => input),
      { maximumNewTokens: 12 },
    );
    distances.push({
      name: "greedy",
      distance: JSON.stringify(replies.map(({ tokens }) => tokens)) === JSON.stringify(greedy) ? 0 : 1,
    });
    return distances;
  } finally {
    await model.dispose();
    await stored.close();
  }
}

/** The adapted model on one of the bases: logits, loss, gradients of the adapters. */
export async function adaptedModel(variant: Variant, base: Base, device: Device): Promise<Distance[]> {
  const { examples } = json<Golden>(variant, "golden.json");
  const loss = json<Record<Base, number>>(variant, "adapters.json")[base];
  const stored = await SafetensorsFile.open(golden(variant, `adapter-${base}.safetensors`));
  const model = await adapted(variant, base, device);
  try {
    const found = await gradientsOf(model, examplesOf(examples));
    const distances: Distance[] = [
      {
        name: `${base} logits`,
        distance: relativeDistance(await labelLogits(model, examples), await stored.readFloat32("logits")),
      },
      { name: `${base} loss`, distance: Math.abs(found.loss - loss) / loss },
    ];
    for (const name of stored.tensors.keys()) {
      if (name.startsWith("gradient."))
        distances.push({
          name: `${base} ${name}`,
          distance: relativeDistance(found.gradients.get(name.slice(9)) ?? [], await stored.readFloat32(name)),
        });
    }
    return distances;
  } finally {
    await model.dispose();
    await stored.close();
  }
}

/**
 * The Trainer's run, of the adapter on the fp4 base or of all weights: each step's loss, learning rate and gradient
 * norm.
 */
export async function trainerRun(variant: Variant, device: Device, steps = Infinity): Promise<Distance[]> {
  const {
    settings,
    examples,
    steps: theirs,
  } = json<{
    settings: Record<string, number>;
    examples: Golden["examples"];
    steps: { loss: number; learningRate: number; gradientNorm: number }[];
  }>(variant, "run.json");
  const model =
    VARIANTS[variant].trains === "all"
      ? await loadDecoder(golden(variant, "base"), device)
      : await adapted(variant, "fp4", device);
  const folder = mkdtempSync(join(tmpdir(), "decoder-run-"));
  const logged: LoggedStep[] = [];
  try {
    await train(
      model,
      { train: examplesOf(examples) },
      {
        epochs: settings["num_train_epochs"]!,
        batchSize: settings["per_device_train_batch_size"]!,
        gradientAccumulationSteps: settings["gradient_accumulation_steps"]!,
        maxGradNorm: settings["max_grad_norm"]!,
        seed: settings["seed"]!,
        dropout: false,
        learningRate: settings["learning_rate"]!,
        schedule: "cosine",
        warmupRatio: settings["warmup_steps"]! / theirs.length,
        betas: [0.9, 0.999],
        epsilon: 1e-8,
        weightDecay: 0,
        loggingSteps: 1,
        saveSteps: 1_000_000,
        checkpointFolder: folder,
        validateEachEpoch: false,
        loadBestModelAtEnd: false,
        earlyStoppingPatience: null,
        identity: "golden",
      },
      { onLog: (step) => void logged.push(step), shouldStop: () => logged.length >= steps },
    );
    return logged.flatMap(({ loss, learningRate, gradientNorm }, index): Distance[] => {
      const reference = theirs[index]!;
      return [
        { name: `run loss ${index + 1}`, distance: Math.abs(loss - reference.loss) / reference.loss },
        { name: `run learning rate ${index + 1}`, distance: Math.abs(learningRate - reference.learningRate) },
        {
          name: `run gradient norm ${index + 1}`,
          distance: Math.abs(gradientNorm - reference.gradientNorm) / reference.gradientNorm,
        },
      ];
    });
  } finally {
    await model.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const device = await openDevice(process.argv[2] as DeviceName);
  const variant = process.argv[3] as Variant;
  for (const distances of [
    await bareModel(variant, device),
    await adaptedModel(variant, "none", device),
    await adaptedModel(variant, "fp4", device),
    await trainerRun(variant, device, 3),
  ])
    for (const one of distances) console.log(JSON.stringify(one));
  await device.close();
}
