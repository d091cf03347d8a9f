import { UserError } from "../../base/errors.js";
import type { CheckpointWeights } from "../checkpoint-weights.js";
import type { DecoderDescription } from "./description.js";
import { OUTPUT } from "./weight-shapes.js";

/** What transformers calls the weight that a file has under a name. */
export function moduleName(stored: string, { within }: Pick<DecoderDescription, "within">): string {
  for (const [from, to] of Object.entries(within?.storedAs ?? {}))
    if (stored.startsWith(from)) return `${to}${stored.slice(from.length)}`;
  return stored;
}

/**
 * The names under which a checkpoint has a model's weights.
 * @param wanted the model's names
 * @throws {UserError} where the checkpoint has weights that the model would leave out of its computation
 */
export function storedNames(
  weights: CheckpointWeights,
  wanted: Iterable<string>,
  description: DecoderDescription,
): (name: string) => string {
  const stored = new Map(weights.names.map((name) => [moduleName(name, description), name]));
  const known = new Set(wanted);
  const extra = [...stored.keys()].filter(
    (name) =>
      !known.has(name) &&
      name !== OUTPUT &&
      !name.endsWith(".rotary_emb.inv_freq") &&
      !description.within?.left.some((start) => name.startsWith(start)),
  );
  if (extra.length > 0)
    throw new UserError(
      `${weights.source} has ${extra.length === 1 ? "a weight" : `${extra.length} weights`} that ` +
        `${description.title} does not have: ${extra.slice(0, 3).join(", ")}${extra.length > 3 ? ", …" : ""}`,
      { hint: "Does config.json belong to these weights?" },
    );
  return (name) => stored.get(name) ?? name;
}
