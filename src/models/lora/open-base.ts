import { UserError } from "../../base/errors.js";
import { type Checkpoint, type OpenCheckpointOptions, openCheckpoint } from "../load.js";
import type { LoraSettings } from "../weights.js";
import { baseOf } from "./adapter-config.js";

/**
 * Opens the base of an adapter: the one that it names, unless another is asked for.
 * @param adapter the adapter's folder, for messages
 * @throws {UserError} where it names none, or the base cannot be opened; the message names both, and what to do
 */
export async function openBase(
  adapter: string,
  settings: Pick<LoraSettings, "base" | "revision">,
  options: OpenCheckpointOptions & { readonly base?: string },
): Promise<Checkpoint> {
  const { base, revision } = baseOf(settings, options);
  if (!base)
    throw new UserError(`${adapter}: adapter_config.json names no base_model_name_or_path`, {
      hint: "Give the base model's folder or hub id with --base, or write it into the file.",
    });
  try {
    return await openCheckpoint(base, { ...options, revision });
  } catch (error) {
    if (options.base !== undefined || !(error instanceof UserError) || options.signal?.aborted) throw error;
    throw new UserError(`the base that ${adapter} names cannot be opened: ${error.message}`, {
      hint: `${error.hint ? `${error.hint} ` : ""}Another place of the base is given with --base.`,
      cause: error,
    });
  }
}
