import { createHash } from "node:crypto";
import { messageOf, UserError } from "../base/errors.js";
import type { Device, DeviceArray } from "../graph/index.js";
import { type Parameter, SafetensorsFile, type TensorToWrite, writeSafetensors } from "../models/index.js";

/** What is said of a checkpoint that cannot be used any more. */
export function damaged(why: string, cause?: unknown): UserError {
  return new UserError(`the checkpoint is damaged: ${why}`, {
    hint: "Remove the folder checkpoints to train from the first step, or begin anew with --fresh.",
    cause,
  });
}

/** Writes tensors and gives the file's SHA-256. */
export function writeHashed(path: string, tensors: readonly TensorToWrite[]): string {
  const hash = createHash("sha256");
  writeSafetensors(path, tensors, undefined, (piece) => hash.update(piece));
  return hash.digest("hex");
}

/** On the CPU the arrays themselves; from a GPU each is read when its turn comes. */
export async function tensors(
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

/** Where the weights that are trained are read into. */
export const weightSlots = (parameters: readonly Parameter[]) =>
  parameters
    .filter(({ trained }) => trained)
    .map((parameter) => ({ name: parameter.name, holder: parameter, key: "array" as const }));

/** A tensor of a file, and where it is read into. */
type Slot<K extends string> = { readonly name: string; readonly holder: { [key in K]: DeviceArray }; readonly key: K };

/** What is said of a file of tensors that cannot be taken. */
interface Refusals {
  readonly damaged: (why: string, cause?: unknown) => UserError;
  /** @param why with the file's path */
  readonly another: (why: string) => UserError;
  /** Whether every value must be a number: what was trained here was looked at as it was trained. */
  readonly finite: boolean;
}

const ofCheckpoint: Refusals = {
  damaged,
  another: (why) =>
    new UserError(`the checkpoint is of another model: ${why}`, {
      hint: "Choose another folder with --out, or --fresh to begin anew.",
    }),
  finite: false,
};

const ofResults: Refusals = {
  damaged: (why, cause) =>
    new UserError(`the trained weights are damaged: ${why}`, { hint: "Copy the engine's folder again.", cause }),
  another: (why) =>
    new UserError(`the trained weights are of another model: ${why}`, {
      hint: "Give the folder that the engine made of this experiment's bundle.",
    }),
  finite: true,
};

/**
 * Reads a file's tensors into their slots.
 * @throws {UserError} where the file's tensors are not those of the slots, before any is read; or, of results, one
 * holds what is no number
 */
export async function readInto<K extends string>(
  path: string,
  device: Device,
  slots: readonly Slot<K>[],
  refusals = ofCheckpoint,
): Promise<void> {
  const file = await SafetensorsFile.open(path).catch((error: unknown) => {
    throw refusals.damaged(messageOf(error), error);
  });
  try {
    const another = (why: string): UserError => refusals.another(`${path}: ${why}`);
    for (const { name, holder, key } of slots) {
      const entry = file.tensors.get(name);
      if (!entry) throw another(`it has no ${name}`);
      const { shape } = holder[key];
      if (entry.type !== "F32" || JSON.stringify(entry.shape) !== JSON.stringify(shape))
        throw another(
          `${name} is ${entry.type} [${entry.shape.join(", ")}], and F32 [${shape.join(", ")}] is asked for`,
        );
    }
    const names = new Set(slots.map(({ name }) => name));
    const extra = [...file.tensors.keys()].find((name) => !names.has(name));
    if (extra !== undefined) throw another(`it has ${extra}, which is not trained`);
    for (const { name, holder, key } of slots) {
      const now = holder[key];
      const elements = await file.readFloat32(name);
      const odd = refusals.finite ? elements.find((value) => !Number.isFinite(value)) : undefined;
      if (odd !== undefined) throw refusals.damaged(`${path}: ${name} holds ${odd}`);
      if (now.onDevice) {
        holder[key] = (await device.upload(device.array(elements, now.shape))) as { [key in K]: DeviceArray }[K];
        device.dispose(now);
      } else (now.data as Float32Array).set(elements);
    }
  } finally {
    await file.close();
  }
}

/**
 * Reads trained parameters from a safetensors file of another engine, each under the parameter's own name.
 * @throws {UserError} as `readInto` does
 */
export const readWeights = (path: string, device: Device, parameters: readonly Parameter[]): Promise<void> =>
  readInto(path, device, weightSlots(parameters), ofResults);
