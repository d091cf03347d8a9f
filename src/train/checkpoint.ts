import { existsSync } from "node:fs";
import { join } from "node:path";
import { messageOf, UserError } from "../base/errors.js";
import { readJson, writeWhole } from "../base/files.js";
import { tidyFolder, writeFolderWhole } from "../base/folders.js";
import type { Device, DeviceArray } from "../graph/index.js";
import { type Parameter, SafetensorsFile, type TensorToWrite, writeSafetensors } from "../models/index.js";
import type { AdamW } from "./optimizer.js";

/** Where training stands after some steps; with weights and moments, all that its next step depends on. */
export interface Progress {
  /** Optimizer steps taken. */
  readonly step: number;
  /** Sum over steps of the step's loss: the mean is the run's training loss. */
  readonly lossSum: number;
  readonly rows: number;
  /** Seconds spent in training so far, over all sittings. */
  readonly seconds: number;
  /** Since the last logged step. */
  readonly sinceLog: { readonly lossSum: number; readonly steps: number };
  /** Epochs validated so far. */
  readonly validations: readonly { readonly epoch: number; readonly step: number; readonly loss: number }[];
  readonly bestEpoch: number | null;
}

interface State extends Progress {
  readonly format: 1;
  /** Hash of what the steps depend on: another run's checkpoint is refused. */
  readonly identity: string;
}

const NAME = "last";

/** Whether a folder holds a checkpoint. */
export const hasCheckpoint = (folder: string): boolean => existsSync(join(folder, NAME, "state.json"));

/** How far the folder's checkpoint is; undefined where there is none. First puts right what a killed process left there. */
export async function checkpointProgress(folder: string): Promise<Progress | undefined> {
  tidyFolder(folder);
  return hasCheckpoint(folder) ? readJson<State>(join(folder, NAME, "state.json")) : undefined;
}

/**
 * Writes weights, moments and progress as one folder, whole or not at all: the one before stays until this one is
 * complete. Tensors are written one at a time.
 * @throws {UserError} where the disk is full; the last checkpoint stays
 */
export async function saveCheckpoint(
  folder: string,
  identity: string,
  progress: Progress,
  parameters: readonly Parameter[],
  optimizer: AdamW,
): Promise<void> {
  const weights = await tensors(
    optimizer.device,
    parameters.filter(({ trained }) => trained).map(({ name, shape, array }) => ({ name, shape, array })),
  );
  const moments = await tensors(
    optimizer.device,
    [...optimizer.moments].flatMap(([name, { first, second }]) => [
      { name: `${name}/first`, shape: first.shape, array: first },
      { name: `${name}/second`, shape: second.shape, array: second },
    ]),
  );
  await writeFolderWhole(join(folder, NAME), (fresh) => {
    writeSafetensors(join(fresh, "weights.safetensors"), weights);
    writeSafetensors(join(fresh, "moments.safetensors"), moments);
    const state: State = { format: 1, identity, ...progress };
    writeWhole(join(fresh, "state.json"), `${JSON.stringify(state, null, 2)}\n`);
  });
}

/** On the CPU the arrays themselves; from a GPU each is read when its turn comes. */
async function tensors(
  device: Device,
  named: readonly { name: string; shape: readonly number[]; array: DeviceArray }[],
): Promise<TensorToWrite[]> {
  const list: TensorToWrite[] = [];
  for (const { name, shape, array } of named) {
    const elements = array.onDevice ? await device.read(array) : undefined;
    list.push({ name, type: "F32", shape, elements: () => elements ?? array.data });
  }
  return list;
}

/**
 * Reads a checkpoint into the model's parameters and the optimizer.
 * @throws {UserError} where it is of another configuration, or damaged
 */
export async function loadCheckpoint(
  folder: string,
  identity: string,
  parameters: readonly Parameter[],
  optimizer: AdamW,
): Promise<Progress> {
  const path = join(folder, NAME);
  const state = await readJson<State>(join(path, "state.json"));
  if (state.format !== 1 || state.identity !== identity) {
    throw new UserError(`${path} is a checkpoint of another configuration, data or model`, {
      hint: "Choose another folder with --out, or --fresh to begin anew.",
    });
  }
  await readInto(
    join(path, "weights.safetensors"),
    optimizer.device,
    parameters
      .filter(({ trained }) => trained)
      .map((parameter) => ({ name: parameter.name, holder: parameter, key: "array" as const })),
  );
  await optimizer.prepare();
  await readInto(
    join(path, "moments.safetensors"),
    optimizer.device,
    [...optimizer.moments].flatMap(([name, holder]) => [
      { name: `${name}/first`, holder, key: "first" as const },
      { name: `${name}/second`, holder, key: "second" as const },
    ]),
  );
  optimizer.step = state.step;
  return state;
}

type Slot<K extends string> = { readonly name: string; readonly holder: { [key in K]: DeviceArray }; readonly key: K };

async function readInto<K extends string>(path: string, device: Device, slots: readonly Slot<K>[]): Promise<void> {
  const damaged = (error: unknown): UserError =>
    new UserError(`the checkpoint is damaged: ${messageOf(error)}`, {
      hint: "Remove the folder checkpoints to train from the first step, or begin anew with --fresh.",
      cause: error,
    });
  const file = await SafetensorsFile.open(path).catch((error: unknown) => {
    throw damaged(error);
  });
  try {
    for (const { name, holder, key } of slots) {
      const now = holder[key];
      const elements = await file.readFloat32(name).catch((error: unknown) => {
        throw damaged(error);
      });
      if (elements.length !== now.size)
        throw damaged(`${path}: ${name} has ${elements.length} elements, expected ${now.size}`);
      if (now.onDevice) {
        holder[key] = (await device.upload(device.array(elements, now.shape))) as { [key in K]: DeviceArray }[K];
        device.dispose(now);
      } else (now.data as Float32Array).set(elements);
    }
  } finally {
    await file.close();
  }
}

const BEST = "best.safetensors";

/** Keeps the weights of the best epoch so far. */
export async function saveBest(folder: string, device: Device, parameters: readonly Parameter[]): Promise<void> {
  writeSafetensors(
    join(folder, BEST),
    await tensors(
      device,
      parameters.filter(({ trained }) => trained),
    ),
  );
}

/** Loads the best epoch's weights. */
export async function loadBest(folder: string, device: Device, parameters: readonly Parameter[]): Promise<void> {
  await readInto(
    join(folder, BEST),
    device,
    parameters
      .filter(({ trained }) => trained)
      .map((parameter) => ({ name: parameter.name, holder: parameter, key: "array" as const })),
  );
}
