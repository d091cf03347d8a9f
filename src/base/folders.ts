import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { messageOf, UserError } from "./errors.js";
import { hintForSystemError, syncFolder } from "./files.js";

/**
 * Writes a folder whole or not at all: `fill` writes into a neighbour, which then takes the name; a folder that had
 * it before is replaced, and lost only when the new one is complete. A process that is killed between the two renames
 * leaves the old one beside its place, where {@link tidyFolder} finds it.
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
    throw new UserError(`cannot write the folder ${path}: ${messageOf(error)}`, {
      hint: hintForSystemError(error),
      cause: error,
    });
  }
  try {
    await fill(fresh);
    syncFolder(fresh);
    const replaces = existsSync(target);
    if (replaces) renameSync(target, old);
    try {
      renameSync(fresh, target);
    } catch (error) {
      if (replaces) renameSync(old, target);
      throw new UserError(`cannot write the folder ${path}: ${messageOf(error)}`, {
        hint: hintForSystemError(error),
        cause: error,
      });
    }
    syncFolder(dirname(target));
    rmSync(old, { recursive: true, force: true });
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    throw error;
  }
}

/**
 * What an unfinished write of this module or of `files.ts` is called: the name it was for, the process, a random part.
 */
const LEFTOVER = /^(.+)\.(\d+)-[0-9a-f]{8}\.(tmp|old)$/;

/** Whether a name in a folder is that of a write that was not finished. */
export const isLeftover = (name: string): boolean => LEFTOVER.test(name);

/**
 * Puts right what killed processes left in a folder: a whole folder that had been moved aside for a new one takes its
 * name again where the new one did not come to take it; what was being written is removed; so in the folders below.
 * Only for who alone writes there.
 */
export function tidyFolder(path: string): void {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const { name } = entry;
    const [, own, , kind] = LEFTOVER.exec(name) ?? [];
    if (own === undefined) {
      // Links are not followed: what they lead to is not this folder's.
      if (entry.isDirectory()) tidyFolder(join(path, name));
      continue;
    }
    if (kind === "old" && !existsSync(join(path, own))) renameSync(join(path, name), join(path, own));
    else rmSync(join(path, name), { recursive: true, force: true });
  }
}

/**
 * Makes sure that nothing is lost where a folder is to be written: an empty one may be there, and one that holds only
 * what is written anew.
 * @param isOwn whether a name is one of those; none unless given
 * @throws {UserError} where something else is there
 */
export function refuseOccupied(path: string, isOwn: (name: string) => boolean = () => false): void {
  const hint = "Give another folder with --out, or remove that one.";
  if (existsSync(path)) {
    if (!statSync(path).isDirectory()) throw new UserError(`${path} is there already, and is no folder`, { hint });
    const other = readdirSync(path).find((name) => !isOwn(name));
    if (other !== undefined)
      throw new UserError(`${path} is there already, and what it holds (${other}) would be lost`, { hint });
  }
  forgetUnfinished(path);
}

/** Removes what processes that are gone have left beside a file's or folder's place, half of what was to be there. */
export function forgetUnfinished(path: string): void {
  const target = resolve(path);
  const folder = dirname(target);
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const [, own, number, kind] = LEFTOVER.exec(name) ?? [];
    if (own === basename(target) && kind === "tmp" && !isRunning(Number(number)))
      rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function isRunning(number: number): boolean {
  try {
    process.kill(number, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
