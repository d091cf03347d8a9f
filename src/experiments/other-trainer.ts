import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../base/errors.js";
import { readRunFile } from "../record/index.js";
import { ENGINE_RUN } from "./bundle/format.js";

const trainedBy = z.looseObject({ engine: z.looseObject({ weights: z.string() }).optional() });

/** Within a run's folder: the checkpoints of this program's own engine, and what another engine makes. */
export const [CHECKPOINTS, ENGINE_FOLDER] = ["checkpoints", "engine"] as const;

const HINT = "Choose another folder with --out, or --fresh to move that run aside.";

/**
 * Keeps what one engine has trained from being replaced by another's: the same configuration names the same folder.
 * @param path of a run's folder
 * @param engine who is to train: this program itself; another engine; or that whose weights have this SHA-256
 * @throws {UserError} where somebody else trained there
 */
export async function refuseOtherTrainer(path: string, engine: "own" | "elsewhere" | (string & {})): Promise<void> {
  const kept = (await readRunFile(path, "manifest.json", trainedBy))?.engine;
  if (engine === "own") {
    if (kept) throw new UserError(`${path} holds a run that another engine trained`, { hint: HINT });
    // One that was refused before its first step has trained nothing.
    if ([ENGINE_RUN.log, ENGINE_RUN.result].some((name) => existsSync(join(path, ENGINE_FOLDER, name))))
      throw new UserError(`${path} holds a run that another engine trains`, {
        hint: `Give --engine torch to go on with it. ${HINT}`,
      });
    return;
  }
  const own = join(path, CHECKPOINTS);
  if (existsSync(own) && readdirSync(own).length > 0)
    throw new UserError(`${path} holds a run that this program trains itself`, { hint: HINT });
  if (engine !== "elsewhere" && kept && kept.weights !== engine)
    throw new UserError(`${path} holds a run of other weights`, { hint: HINT });
}
