import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { messageOf, UserError } from "./errors.js";

/**
 * Writes a folder whole or not at all: `fill` writes into a neighbour, which then takes the name; a folder that had
 * it before is replaced, and lost only when the new one is complete.
 * @throws {UserError} when the place cannot be written; what `fill` throws passes through. Nothing is left behind.
 */
export async function writeFolderWhole(path: string, fill: (folder: string) => void | Promise<void>): Promise<void> {
  const target = resolve(path);
  const mark = `${process.pid}-${randomBytes(4).toString("hex")}`;
  const fresh = `${target}.${mark}.tmp`;
  const old = `${target}.${mark}.old`;
  try {
    mkdirSync(dirname(target), { recursive: true });
    mkdirSync(fresh);
  } catch (error) {
    throw new UserError(`cannot write the folder ${path}: ${messageOf(error)}`, { cause: error });
  }
  try {
    await fill(fresh);
    const replaces = existsSync(target);
    if (replaces) renameSync(target, old);
    try {
      renameSync(fresh, target);
    } catch (error) {
      if (replaces) renameSync(old, target);
      throw new UserError(`cannot write the folder ${path}: ${messageOf(error)}`, { cause: error });
    }
    rmSync(old, { recursive: true, force: true });
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    throw error;
  }
}
