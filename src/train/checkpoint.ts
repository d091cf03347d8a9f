import { existsSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { hashOf } from "../base/canonical.js";
import { messageOf, UserError } from "../base/errors.js";
import { sha256OfFile, syncFolder, writeWhole } from "../base/files.js";
import { tidyFolder, writeFolderWhole } from "../base/folders.js";
import { checkedAs, readJsonAs } from "../base/json.js";
import type { AdamW, Device } from "../graph/index.js";
import type { Parameter } from "../models/index.js";
import { fromFormat1 } from "./checkpoint-format-1.js";
import { damaged, readInto, tensors, weightSlots, writeHashed } from "./tensor-files.js";

const count = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "is no SHA-256");

const progressSchema = z.strictObject({
  /** Optimizer steps taken. */
  step: count,
  /** Sum over steps of the step's loss: the mean is the run's training loss. */
  lossSum: z.number(),
  rows: count,
  /** Seconds spent in training so far, over all sittings. */
  seconds: z.number().nonnegative(),
  /** Since the last logged step. */
  sinceLog: z.strictObject({ lossSum: z.number(), steps: count }),
  /** Epochs validated so far. */
  validations: z.array(z.strictObject({ epoch: count.positive(), step: count, loss: z.number() })),
  bestEpoch: count.positive().nullable(),
  /** Of the file with the best epoch's weights. */
  bestSha256: sha256.nullable(),
});

/** Where training stands after some steps; with weights and moments, all that its next step depends on. */
export type Progress = Readonly<z.infer<typeof progressSchema>>;

/** Whose checkpoint it is: another run's is refused. */
export interface CheckpointOwner {
  /** Hash of what the steps depend on. */
  readonly identity: string;
  /** Hash of the rows' tokens, see `hashOfExamples`. */
  readonly examples: string;
}

/** The weights of the best epoch so far, beside the checkpoints. */
const BEST = "best.safetensors";
const FILES = ["weights.safetensors", "moments.safetensors"] as const;

const stateSchema = progressSchema.extend({
  format: z.literal(2, "is not this version's"),
  /** Hash of what the steps depend on: another run's checkpoint is refused. */
  identity: z.string(),
  /** Hash of the rows' tokens; earlier versions kept none. */
  examples: sha256.optional(),
  /** SHA-256 of the other files. */
  files: z.strictObject({ [FILES[0]]: sha256, [FILES[1]]: sha256 }),
  /** SHA-256 of all that stands above. */
  sha256,
});
type State = z.infer<typeof stateSchema>;

/** Bytes of a state at most. */
const LONGEST_STATE = 16 << 20;

/** The newest checkpoint, the one before it, and one that is whole but has not taken its place yet. */
const [LAST, PREVIOUS, NEW] = ["last", "previous", "new"] as const;
/** Where a checkpoint is put that cannot be read any more. */
const DAMAGED = "damaged";

/** Gives a whole new checkpoint its place; the one before stays beside it. */
function rotate(folder: string): void {
  const at = (name: string): string => join(folder, name);
  if (existsSync(at(LAST))) {
    rmSync(at(PREVIOUS), { recursive: true, force: true });
    renameSync(at(LAST), at(PREVIOUS));
  }
  renameSync(at(NEW), at(LAST));
  syncFolder(folder);
}

/** Puts right what a killed process left. */
function settle(folder: string): void {
  tidyFolder(folder);
  if (existsSync(join(folder, NEW))) rotate(folder);
}

/** A checkpoint's state. @throws {UserError} where it is not as it was written */
async function readState(path: string): Promise<State> {
  const file = join(path, "state.json");
  const hint = "Remove the folder checkpoints to train from the first step.";
  const kept = await readJsonAs(file, z.unknown(), { most: LONGEST_STATE, hint });
  const state = checkedAs(await fromFormat1(kept, path, FILES, join(dirname(path), BEST)), stateSchema, file, hint);
  const { sha256, ...rest } = state;
  if (hashOf(rest) !== sha256)
    throw new UserError(`${file} is not as it was written: its SHA-256 is another`, { hint });
  return state;
}

/** A checkpoint's state, all its files checked. @throws {UserError} naming the one that is not as it was written */
async function verified(path: string): Promise<State> {
  const state = await readState(path);
  for (const name of FILES) {
    const file = join(path, name);
    if (!existsSync(file))
      throw new UserError(`${file} is missing`, {
        hint: "Remove the folder checkpoints to train from the first step.",
      });
    if ((await sha256OfFile(file)) !== state.files[name])
      throw new UserError(`${file} is not as it was written: its SHA-256 is another`, {
        hint: "Remove the folder checkpoints to train from the first step.",
      });
  }
  return state;
}

/**
 * How far the folder's checkpoint is, every byte of it checked against its hashes; undefined where there is none. First
 * puts right what a killed process left there. Where the newest checkpoint is damaged, it is put aside and the one
 * before it takes its place.
 * @param say told that, in a sentence
 * @throws {UserError} where there are only damaged ones
 */
export async function checkpointProgress(
  folder: string,
  say: (line: string) => void = () => {},
): Promise<Progress | undefined> {
  settle(folder);
  const problems: string[] = [];
  for (const name of [LAST, PREVIOUS]) {
    const path = join(folder, name);
    if (!existsSync(path)) continue;
    let state: State;
    try {
      state = await verified(path);
    } catch (error) {
      problems.push(messageOf(error));
      continue;
    }
    if (name === PREVIOUS) {
      rmSync(join(folder, DAMAGED), { recursive: true, force: true });
      if (existsSync(join(folder, LAST))) renameSync(join(folder, LAST), join(folder, DAMAGED));
      renameSync(path, join(folder, LAST));
      const why =
        problems.length > 0
          ? `the newest checkpoint is damaged (${problems.join("; ")})`
          : "the newest checkpoint is gone";
      say(`${why}: going on from the one before it, step ${state.step}`);
    }
    return progressOf(state);
  }
  if (problems.length === 0) return undefined;
  throw damaged(problems.join("; "));
}

const progressOf = ({
  format: _format,
  identity: _identity,
  examples: _examples,
  files: _files,
  sha256: _sha256,
  ...progress
}: State): Progress => progress;

/** The step of the newest checkpoint, for messages; 0 where there is none. */
export async function keptStep(folder: string): Promise<number> {
  settle(folder);
  return existsSync(join(folder, LAST)) ? (await readState(join(folder, LAST))).step : 0;
}

/**
 * Writes weights, moments and progress as one folder, whole or not at all, with their hashes; the one before it stays.
 * Tensors are written one at a time. At most two checkpoints take room on the disk.
 * @throws {UserError} where the disk is full; the last checkpoint stays
 */
export async function saveCheckpoint(
  folder: string,
  { identity, examples }: CheckpointOwner,
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
  settle(folder);
  if (existsSync(join(folder, LAST))) rmSync(join(folder, PREVIOUS), { recursive: true, force: true });
  await writeFolderWhole(join(folder, NEW), (fresh) => {
    const files = {
      [FILES[0]]: writeHashed(join(fresh, FILES[0]), weights),
      [FILES[1]]: writeHashed(join(fresh, FILES[1]), moments),
    };
    const state = { format: 2, identity, examples, ...progress, files } as const;
    writeWhole(join(fresh, "state.json"), `${JSON.stringify({ ...state, sha256: hashOf(state) }, null, 2)}\n`);
  });
  rotate(folder);
}

/** @throws {UserError} where a checkpoint is another run's */
function refuseForeign(path: string, state: State, { identity, examples }: CheckpointOwner): void {
  const hint = "Choose another folder with --out, or --fresh to begin anew.";
  if (state.identity !== identity)
    throw new UserError(`${path} is a checkpoint of another configuration, data or model`, { hint });
  if (state.examples !== undefined && state.examples !== examples)
    throw new UserError(`${path} is a checkpoint of other rows: texts have changed since`, { hint });
}

/**
 * Whether a folder's checkpoints are a run's own, by what they say: before anything of the run is written. Damaged ones
 * pass, they are told of when they are read.
 * @throws {UserError} where they are of another configuration, model or rows
 */
export async function refuseForeignCheckpoint(folder: string, owner: CheckpointOwner): Promise<void> {
  settle(folder);
  for (const name of [LAST, PREVIOUS]) {
    const path = join(folder, name);
    const state = existsSync(path) ? await readState(path).catch(() => undefined) : undefined;
    if (state) return refuseForeign(path, state, owner);
  }
}

/**
 * Reads the folder's checkpoint into the model's parameters and the optimizer; undefined where there is none.
 * @param say told where the newest was damaged and the one before it was taken
 * @throws {UserError} where it is of another configuration, model or rows, or damaged
 */
export async function resumeFrom(
  folder: string,
  owner: CheckpointOwner,
  parameters: readonly Parameter[],
  optimizer: AdamW,
  say?: (line: string) => void,
): Promise<Progress | undefined> {
  const progress = await checkpointProgress(folder, say);
  if (!progress) return undefined;
  const path = join(folder, LAST);
  refuseForeign(path, await readState(path), owner);
  await readInto(join(path, FILES[0]), optimizer.device, weightSlots(parameters));
  await optimizer.prepare();
  await readInto(
    join(path, FILES[1]),
    optimizer.device,
    [...optimizer.moments].flatMap(([name, holder]) => [
      { name: `${name}/first`, holder, key: "first" as const },
      { name: `${name}/second`, holder, key: "second" as const },
    ]),
  );
  optimizer.step = progress.step;
  return progress;
}

/** Keeps the weights of the best epoch so far, and gives the file's SHA-256. */
export async function saveBest(folder: string, device: Device, parameters: readonly Parameter[]): Promise<string> {
  return writeHashed(
    join(folder, BEST),
    await tensors(
      device,
      parameters.filter(({ trained }) => trained),
    ),
  );
}

/** Loads the best epoch's weights. @throws {UserError} where they are not those that were written */
export async function loadBest(
  folder: string,
  device: Device,
  parameters: readonly Parameter[],
  { bestSha256 }: Progress,
): Promise<void> {
  const path = join(folder, BEST);
  if (!existsSync(path) || (await sha256OfFile(path)) !== bestSha256)
    throw damaged(
      `${path}, the weights of the best epoch, ${existsSync(path) ? "is not as it was written" : "is missing"}`,
    );
  await readInto(path, device, weightSlots(parameters));
}
