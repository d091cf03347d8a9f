import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../base/errors.js";

/**
 * The folder of the model that a run saved, where a run's folder is given; anything else (a model's folder, a hub id)
 * as it is.
 * @throws {UserError} where the run saved no model
 */
export function savedModelOf(source: string): string {
  if (!existsSync(join(source, "run.json"))) return source;
  const saved = join(source, "model");
  if (!existsSync(saved))
    throw new UserError(`${source} is a run that saved no model`, {
      hint: "Only fine-tuning runs that came to their end have one.",
    });
  return saved;
}
