import { existsSync } from "node:fs";
import type { Command } from "commander";
import { UserError } from "../base/errors.js";
import { progressOn } from "../base/progress.js";
import { openDevice } from "../graph/index.js";
import {
  baseOf,
  loadAdapter,
  mergeAdapterFolder,
  modelFromCheckpoint,
  openCheckpoint,
  quantizationText,
  readAdapterSettings,
  readEnvironment,
} from "../models/index.js";
import { savedModelOf } from "../record/index.js";

interface MergeFlags {
  readonly out: string;
  readonly base?: string;
  readonly revision?: string;
  readonly offline?: boolean;
  readonly float32?: boolean;
}

/** Differences of log-probabilities that rounding explains: of float32, and of weights rounded to bfloat16. */
const TOLERANCE = { float32: 1e-3, bfloat16: 0.25 };

export function mergeCommand(command: Command): Command {
  return command
    .argument("<adapter>", "a PEFT adapter's folder, or the folder of a run that trained one")
    .requiredOption("--out <folder>", "where the merged model goes")
    .option("--base <model>", "hub id or folder of the base, instead of the one that the adapter names")
    .option("--revision <revision>", "commit, branch or tag of the base on the hub")
    .option("--float32", "write float32 weights, whatever the base has")
    .option("--offline", "no network: everything must be in the cache")
    .action(merge);
}

async function merge(given: string, flags: MergeFlags): Promise<void> {
  const adapter = savedModelOf(given);
  if (!existsSync(adapter))
    throw new UserError(`there is no folder ${given}`, {
      hint: "Give an adapter's folder, or that of the run that trained it.",
    });
  const progress = progressOn();
  const { base, revision } = baseOf(await readAdapterSettings(adapter), flags);
  const trainedOn = (await readEnvironment(adapter))?.quantization;
  progress.say(
    trainedOn === undefined
      ? "the adapter's folder does not tell what it was trained on: if that was quantized (QLoRA), the merged " +
          "model answers a little differently, since it has the base's weights as they are stored"
      : trainedOn.kind === "none"
        ? "the adapter was trained on weights that are not quantized, as the merged ones are"
        : `the adapter was trained on ` +
          `${quantizationText({ ...trainedOn, blockSize: trainedOn.blockSize ?? undefined })}: the merged ` +
          `model, with the base's weights as they are stored, answers a little differently than was measured`,
  );
  const opening = { revision, offline: flags.offline, progress };
  await mergeAdapterFolder(adapter, flags.out, {
    ...flags,
    progress,
    float32: flags.float32,
    check: async (folder) => {
      const [ours, stored] = [await answers(folder, opening), await answers(base as string, opening, adapter)];
      const difference = Math.max(...ours.values.map((value, i) => Math.abs(value - stored.values[i]!)));
      const tolerance = TOLERANCE[ours.dtype];
      if (!(difference <= tolerance))
        throw new UserError(
          `the merged model answers differently from base and adapter: log-probabilities differ by up to ` +
            `${difference.toPrecision(3)}, more than the ${tolerance} that rounding to ${ours.dtype} explains`,
          { hint: "Merge with --float32." },
        );
      progress.say(
        `checked: log-probabilities differ by at most ${difference.toExponential(1)} from those of base and ` +
          `adapter. This shows that merging and writing lost nothing; both sides read the adapter by the same ` +
          `rules, so it cannot show that these are PEFT's`,
      );
    },
  });
  process.stdout.write(`${flags.out}\n`);
}

/** Log-probabilities of some tokens after some made-up prompts. */
async function answers(
  source: string,
  options: Parameters<typeof openCheckpoint>[1],
  adapter?: string,
): Promise<{ values: number[]; dtype: keyof typeof TOLERANCE }> {
  const device = await openDevice("cpu");
  const checkpoint = await openCheckpoint(source, options);
  try {
    const model = await modelFromCheckpoint(checkpoint, device, {
      frozen: true,
      compact: true,
      progress: options?.progress,
    });
    if (adapter) await loadAdapter(model.weights, adapter);
    const count = model.vocabularySize;
    const prompts = Array.from({ length: 4 }, (_, row) =>
      Array.from({ length: 8 + 4 * row }, (_, i) => (row * 7919 + i * 104_729) % count),
    );
    const tokens = Array.from({ length: 32 }, (_, i) => Math.floor((i * count) / 32));
    const values = (await model.letterLogProbabilities(prompts, tokens)).flat();
    await model.dispose();
    return {
      values,
      dtype:
        checkpoint.config.json["dtype"] === "bfloat16" || checkpoint.config.json["torch_dtype"] === "bfloat16"
          ? "bfloat16"
          : "float32",
    };
  } finally {
    await checkpoint.close();
    await device.close();
  }
}
