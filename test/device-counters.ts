/** Trains tiny models for some steps on a device and prints, as JSON lines, what its counters say of the last step. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Device, type DeviceCounters, type DeviceName, openDevice } from "../src/graph/index.js";
import {
  addLora,
  createTinyDecoder,
  createTinyT5,
  type Example,
  gemma2,
  type LanguageModel,
  storeLinearLayers,
  weightStore,
} from "../src/models/index.js";
import { train } from "../src/train/index.js";

export interface StepCounters {
  readonly model: string;
  readonly step: DeviceCounters;
}

const VOCABULARY = 64;
const STEPS = 3;
const examples: Example[] = Array.from({ length: 8 * STEPS }, (_, row) => ({
  id: `row ${row}`,
  input: Array.from({ length: 5 + (row % 4) }, (_, i) => 3 + ((7 * row + 5 * i) % (VOCABULARY - 3))),
  target: [3 + (row % 4), 1],
}));

/** Counters of the last step of a run with two batches a step: every program is compiled by then. */
async function lastStep(model: LanguageModel, device: Device): Promise<DeviceCounters> {
  const folder = mkdtempSync(join(tmpdir(), "device-counters-"));
  const seen: DeviceCounters[] = [];
  try {
    await train(
      model,
      { train: examples },
      {
        epochs: 1,
        batchSize: 4,
        gradientAccumulationSteps: 2,
        maxGradNorm: 1,
        seed: 1,
        dropout: true,
        learningRate: 1e-3,
        schedule: "linear",
        warmupRatio: 0,
        betas: [0.9, 0.999],
        epsilon: 1e-8,
        weightDecay: 0.01,
        loggingSteps: 1,
        saveSteps: 1_000_000,
        checkpointFolder: folder,
        validateEachEpoch: false,
        loadBestModelAtEnd: false,
        earlyStoppingPatience: null,
        identity: "counters",
      },
      { onStep: () => void seen.push(device.counters) },
    );
  } finally {
    await model.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
  const [before, after] = seen.slice(-2) as [DeviceCounters, DeviceCounters];
  return Object.fromEntries(
    Object.entries(after).map(([key, count]) => [key, count - before[key as keyof DeviceCounters]]),
  ) as unknown as DeviceCounters;
}

const device = await openDevice(process.argv[2] as DeviceName);
const print = (model: string, step: DeviceCounters): void => console.log(JSON.stringify({ model, step }));

print("t5", await lastStep(await createTinyT5(device, { vocabSize: VOCABULARY }, 1), device));

const decoder = await createTinyDecoder(device, gemma2, { vocabSize: VOCABULARY }, 1);
await storeLinearLayers(decoder.weights, weightStore({ kind: "fp4" }, device)!);
const lora = { rank: 2, alpha: 4, dropout: 0.1, modules: ["q_proj", "v_proj"], base: "tiny", revision: undefined };
await addLora(decoder.weights, lora, 1);
print("gemma2, fp4 with LoRA", await lastStep(decoder, device));
await device.close();
