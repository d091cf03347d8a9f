import { randomBytes } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { UserError } from "./errors.js";
import { hintForSystemError } from "./files.js";
import { tidyFolder } from "./folders.js";

/** Locks that this process holds. */
const held = new Set<string>();

/** Who holds a lock: a process, and when it started, since numbers of processes are used again. */
interface Owner {
  readonly process: number;
  readonly started: string | undefined;
}

/**
 * Keeps a folder for this process until the returned function is called. A lock that a dead process left is taken over,
 * and what it was writing in the folder is put right.
 * @throws {UserError} where another process that is alive has it
 */
export function lockFolder(folder: string): () => void {
  const release = lockFolderIfFree(folder);
  if (release) return release;
  const holder = lockHolder(folder);
  throw new UserError(`${folder} is in use by another run${holder ? ` (process ${holder})` : ""}`, {
    hint: "Wait for it, stop it, or choose another folder with --out.",
  });
}

/** As {@link lockFolder}; undefined where a process that is alive has it, this one included. */
export function lockFolderIfFree(folder: string): (() => void) | undefined {
  const path = resolve(folder, "lock");
  mkdirSync(folder, { recursive: true });
  while (!create(path)) {
    if (lockHolder(folder) !== undefined) return undefined;
    takeAside(path);
  }
  held.add(path);
  const release = (): void => {
    process.off("exit", release);
    held.delete(path);
    rmSync(path, { force: true });
  };
  process.on("exit", release);
  tidyFolder(folder);
  return release;
}

/** Makes a lock with its content at once, so that none is ever half made; false where there is one. */
function create(path: string): boolean {
  const content = `${process.pid} ${startOf("self") ?? ""}`.trim();
  const draft = `${path}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`;
  try {
    writeFileSync(draft, content, { flag: "wx" });
    try {
      linkSync(draft, path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Who has just taken the lock tidies the folder, our draft with it.
      if (code === "ENOENT") return false;
      // Some file systems have no hard links.
      if (code === "EEXIST" || !NO_LINKS.has(code ?? "")) throw error;
      writeFileSync(path, content, { flag: "wx" });
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw new UserError(`cannot write ${path}: ${(error as Error).message}`, {
      hint: hintForSystemError(error),
      cause: error,
    });
  } finally {
    rmSync(draft, { force: true });
  }
}

const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL", "EMLINK", "EXDEV", "EACCES"]);

/**
 * The process on this machine that has a folder locked (0 while it is just taking it); undefined where none has, or the
 * one that had it is dead.
 */
export function lockHolder(folder: string): number | undefined {
  const path = resolve(folder, "lock");
  const owner = ownerOf(path);
  return owner && isAlive(owner, path) ? owner.process : undefined;
}

/** Whether the process that had a folder locked is dead, and did not come to let go of it. */
export const diedIn = (folder: string): boolean =>
  existsSync(resolve(folder, "lock")) && lockHolder(folder) === undefined;

/** Removes a stale lock; one that another process made meanwhile is put back. */
function takeAside(path: string): void {
  const aside = `${path}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const owner = ownerOf(aside);
  if (owner && isAlive(owner, path) && !existsSync(path)) renameSync(aside, path);
  else rmSync(aside, { force: true });
}

/** Seconds in which a lock without content is one that is just being made. */
const MAKING = 5;

/** Undefined where there is no lock; process 0 where one is just being made. */
function ownerOf(path: string): Owner | undefined {
  try {
    // A pipe of that name would be waited for.
    const about = statSync(path);
    if (!about.isFile() || about.size > 200) return undefined;
    const [number, started] = readFileSync(path, "utf8").split(" ");
    const process_ = Number(number);
    if (process_ === 0 && Date.now() - statSync(path).mtimeMs > MAKING * 1000) return undefined;
    return { process: process_, started: started || undefined };
  } catch {
    return undefined;
  }
}

function isAlive({ process: number, started }: Owner, path: string): boolean {
  if (number === 0) return true;
  if (!Number.isInteger(number) || number < 0) return false;
  const now = startOf(number);
  if (started !== undefined && now !== undefined && started !== now) return false;
  // After a container's restart another process had this one's number.
  if (number === process.pid && (started === undefined || now === undefined)) return held.has(path);
  try {
    process.kill(number, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** When a process started, in the system's own count; undefined where it does not tell. */
function startOf(number: number | "self"): string | undefined {
  try {
    // Field 22; the second, the command's name, may hold spaces.
    return readFileSync(join("/proc", String(number), "stat"), "utf8")
      .replace(/^.*\) /s, "")
      .split(" ")[19];
  } catch {
    return undefined;
  }
}
