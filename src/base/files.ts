import { createHash, hash, randomBytes } from "node:crypto";
import {
  closeSync,
  createReadStream,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { messageOf, UserError } from "./errors.js";
import { hintForReading } from "./hint-for-reading.js";

const temporaryName = (path: string): string => `${path}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`;

/**
 * Flushes a folder's names to disk, so that a rename outlives a power cut; where the system has no such thing, nothing.
 */
export function syncFolder(path: string): void {
  let folder: number | undefined;
  try {
    folder = openSync(path, "r");
    fsyncSync(folder);
  } catch {
    // Windows opens no folder, and some network file systems flush none.
  } finally {
    if (folder !== undefined) closeSync(folder);
  }
}

/**
 * Writes a file whole or not at all: into a neighbour, flushed to disk, then renamed.
 * @throws {UserError} when the disk is full or the folder cannot be written; nothing is left behind.
 */
export function writeWhole(path: string, content: string | Uint8Array): void {
  const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : content;
  writeWholeWith(path, (write) => write(bytes));
}

/**
 * As {@link writeWhole}, for content that comes in pieces: `fill` calls `write` as often as it likes.
 * @throws {UserError} when it cannot be written; what `fill` throws passes through.
 */
export function writeWholeWith(path: string, fill: (write: (piece: Uint8Array) => void) => void): void {
  const temporary = temporaryName(path);
  let file: number | undefined;
  let failure: unknown;
  try {
    mkdirSync(dirname(path), { recursive: true });
    file = openSync(temporary, "w");
    const open = file;
    fill((piece) => {
      for (let done = 0; done < piece.length; ) {
        try {
          // One write call takes at most 2 GiB on Linux.
          done += writeSync(open, piece, done, Math.min(piece.length - done, 1 << 30));
        } catch (error) {
          failure = error;
          throw error;
        }
      }
    });
    fsyncSync(file);
    closeSync(file);
    file = undefined;
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (error) {
    try {
      if (file !== undefined) closeSync(file);
      rmSync(temporary, { force: true });
    } catch {
      // Of a disk that fails the first trouble is told; what is left is removed by the next run.
    }
    if (error === failure || isSystemError(error)) {
      throw new UserError(`cannot write ${path}: ${messageOf(error)}`, {
        hint: hintForSystemError(error),
        cause: error,
      });
    }
    throw error;
  }
}

/** Bytes of a file that are copied at once. */
const COPIED = 8 << 20;

/**
 * Copies a file whole or not at all.
 * @throws {UserError} when it cannot be read or written; nothing is left behind.
 */
export function copyWhole(from: string, to: string): void {
  const reading = <T>(step: () => T): T => {
    try {
      return step();
    } catch (error) {
      throw new UserError(`cannot read ${from}: ${messageOf(error)}`, { hint: hintForReading(error), cause: error });
    }
  };
  const source = reading(() => openSync(from, "r"));
  try {
    writeWholeWith(to, (write) => {
      const piece = Buffer.allocUnsafe(COPIED);
      const next = (): number => reading(() => readSync(source, piece));
      for (let read = next(); read > 0; read = next()) write(piece.subarray(0, read));
    });
  } finally {
    closeSync(source);
  }
}

/** Whether the operating system refused something: a full disk, a folder that may not be written. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "code" in error;
}

/** What to do about it, in a sentence; undefined where nothing general can be said. */
export function hintForSystemError(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOSPC" || code === "EDQUOT")
    return "The disk is full: free some space and run the same command again.";
  if (code === "EACCES" || code === "EROFS" || code === "EPERM")
    return "Choose a folder that you may write to with --out.";
  if (code === "EEXIST") return "A file lies where a folder is to be: choose another place with --out.";
  if (code === "EIO") return "The disk fails: look after it, or choose another one, and run the same command again.";
  if (code === "ENOENT" || code === "ENOTDIR" || code === "ESTALE")
    return "Something is not there, or was removed or renamed meanwhile: look, and run the same command again.";
  if (code === "EFBIG")
    return "No file may be so large there (ulimit -f; 4 GiB on a disk in FAT32): choose another place with --out.";
  if (code === "EISDIR" || code === "ENOTEMPTY")
    return "Something else of that name is in its place: choose another one, or remove it.";
  if (code === "ENAMETOOLONG") return "Choose a shorter name.";
  if (code === "ELOOP") return "Links lead in a circle there: remove them, or choose another place.";
  if (code === "EMFILE" || code === "ENFILE") return "Too many files are open: raise the limit (ulimit -n).";
  return undefined;
}

/** SHA-256 of a file's bytes, in hexadecimal; reads it as a stream. */
export async function sha256OfFile(path: string): Promise<string> {
  const running = createHash("sha256");
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) running.update(piece as Buffer);
  return running.digest("hex");
}

/** SHA-256 of a text (as UTF-8) or of bytes, in hexadecimal. */
export function sha256(content: string | Uint8Array): string {
  return hash("sha256", content);
}

/**
 * SHA-256 of a text that comes in pieces, in hexadecimal: as {@link sha256} of all of them, which need not fit one
 * string.
 */
export function sha256OfPieces(pieces: Iterable<string>): string {
  const running = createHash("sha256");
  for (const piece of pieces) running.update(piece, "utf8");
  return running.digest("hex");
}

/** As {@link writeWhole}, for a text that comes in pieces: it need not fit one string. */
export function writePiecesWhole(path: string, pieces: Iterable<string>): void {
  writeWholeWith(path, (write) => {
    let pending: string[] = [];
    let length = 0;
    const flush = (): void => {
      write(Buffer.from(pending.join(""), "utf8"));
      [pending, length] = [[], 0];
    };
    for (const piece of pieces) {
      pending.push(piece);
      if ((length += piece.length) >= PIECE) flush();
    }
    flush();
  });
}

/** Characters that are gathered before they are written. */
const PIECE = 1 << 20;
