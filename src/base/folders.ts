import { randomBytes } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { messageOf, UserError } from "./errors.js";
import { hintForSystemError, isSystemError, syncFolder, writeWhole } from "./files.js";

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
    if (replaces) removeIfItMay(old);
  } catch (error) {
    removeIfItMay(fresh);
    throw error;
  }
}

/** Removes what is of no use any more; on a disk that fails it is left to {@link forgetUnfinished}. */
function removeIfItMay(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // Why it came to this is told; that nothing can be removed either is no news.
  }
}

/**
 * Writes files into a folder that may hold others: all are written beside it before the first takes its place.
 * @param fill writes into the folder that it is given, and returns the files' paths there; they are moved from the last
 * to the first, so that the first tells that all are there
 * @returns the files' paths in `path`
 * @throws {UserError} where a file of one of the names is there and says something else, or it cannot be written
 */
export async function writeIntoFolder(path: string, fill: (folder: string) => Promise<string[]>): Promise<string[]> {
  forgetUnfinished(path);
  if (existsSync(path) && !statSync(path).isDirectory())
    throw new UserError(`${path} is there already, and is no folder`, { hint: OTHER_FOLDER });
  let names: string[] = [];
  const written = async (folder: string): Promise<void> => {
    names = (await fill(folder)).map((file) => relative(folder, file));
  };
  if (!existsSync(path) || readdirSync(path).length === 0) await writeFolderWhole(path, written);
  else {
    const place = `${resolve(path)}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`;
    try {
      mkdirSync(place);
      await written(place);
      for (const name of names) refuseOther(join(path, name), join(place, name));
      for (const name of [...names].reverse()) {
        mkdirSync(dirname(join(path, name)), { recursive: true });
        renameSync(join(place, name), join(path, name));
        syncFolder(dirname(join(path, name)));
      }
    } catch (error) {
      if (!isSystemError(error)) throw error;
      throw new UserError(`cannot write into ${path}: ${messageOf(error)}`, {
        hint: hintForSystemError(error),
        cause: error,
      });
    } finally {
      removeIfItMay(place);
    }
  }
  return names.map((name) => join(path, name));
}

/** @throws {UserError} where a file is there that says something else than the one that is to take its place */
function refuseOther(there: string, fresh: string): void {
  const stat = lstatSync(there, { throwIfNoEntry: false });
  if (!stat || (stat.isFile() && stat.size === statSync(fresh).size && readFileSync(there).equals(readFileSync(fresh))))
    return;
  throw new UserError(`${there} is there already, and says something else`, {
    hint: "Give another folder with --out, or remove that file.",
  });
}

/** Writes a command's file whole, and removes what a killed command has left of an earlier one beside it. */
export function writeOutput(path: string, content: string | Uint8Array): void {
  forgetUnfinished(path);
  writeWhole(path, content);
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
  forgetUnfinished(path);
  const hint = OTHER_FOLDER;
  if (existsSync(path)) {
    if (!statSync(path).isDirectory()) throw new UserError(`${path} is there already, and is no folder`, { hint });
    const other = readdirSync(path).find((name) => !isOwn(name));
    if (other !== undefined)
      throw new UserError(`${path} is there already, and what it holds (${other}) would be lost`, { hint });
  }
}

const OTHER_FOLDER = "Give another folder with --out, or remove that one.";

/**
 * Puts right what processes that are gone have left beside a file's or folder's place: half of what was to be there is
 * removed; a whole folder that was moved aside takes its name again where the new one did not come to take it.
 */
export function forgetUnfinished(path: string): void {
  const target = resolve(path);
  const folder = dirname(target);
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const [, own, number, kind] = LEFTOVER.exec(name) ?? [];
    const left = join(folder, name);
    if (own !== basename(target) || isWriting(Number(number), left)) continue;
    if (kind === "old" && !existsSync(target)) renameSync(left, target);
    else rmSync(left, { recursive: true, force: true });
  }
}

/** Whether the process that began to write something may still be at it. */
function isWriting(number: number, left: string): boolean {
  // In a container every start has the same number: what is older than this process is not its own.
  if (number === process.pid) {
    const since = statSync(left, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    return since > Date.now() - process.uptime() * 1000;
  }
  return isRunning(number);
}

function isRunning(number: number): boolean {
  try {
    process.kill(number, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
