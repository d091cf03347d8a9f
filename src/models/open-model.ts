import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Device } from "../graph/index.js";
import { UserError } from "../base/errors.js";
import type { LocalModel } from "./generate.js";
import { openCheckpoint, type OpenCheckpointOptions } from "./load.js";
import type { TrainableModel } from "./model.js";
import { t5FromCheckpoint } from "./t5/load.js";

/** A model of any supported architecture, with where it came from. */
export interface OpenedModel {
  readonly model: TrainableModel & LocalModel;
  /** The folder of its files; the tokenizer's are among them. */
  readonly folder: string;
  /** The hub's commit; undefined for a folder. */
  readonly commit?: string;
}

/**
 * Opens a model by its folder, hub id, or the output folder of a run that saved one.
 * @throws {UserError} where there is none, or its architecture is not supported
 */
export async function openModel(source: string, device: Device, options: OpenCheckpointOptions = {}): Promise<OpenedModel> {
  const saved = join(source, "model");
  if (existsSync(join(source, "run.json")) && !existsSync(saved)) throw new UserError(`${source} is a run that saved no model`, { hint: "Only fine-tuning runs that came to their end have one." });
  const checkpoint = await openCheckpoint(existsSync(join(source, "run.json")) ? saved : source, options);
  try {
    const model = await t5FromCheckpoint(checkpoint, device, { progress: options.progress });
    return { model, folder: checkpoint.folder, commit: checkpoint.commit };
  } finally {
    await checkpoint.close();
  }
}
