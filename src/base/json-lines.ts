import {
  type BigIntStats,
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import type { z } from "zod";
import { messageOf, UserError } from "./errors.js";
import { hintForSystemError, writePiecesWhole } from "./files.js";
import { checkedAs, type ReadJsonOptions } from "./json.js";
import { printableName } from "./printable.js";
import { readLines } from "./text.js";

/** Milliseconds after which what was appended goes to the disk: what a power cut may cost. */
const FLUSH = 5000;

/** Milliseconds between two looks at whether the file still lies under its name. */
const LOOK = 200;

/** Bytes of a torn last line that are read to see whether it is whole but for its line feed. */
const LONGEST_TORN = 64 << 20;

export interface JsonLinesOptions {
  /**
   * What becomes of a last line without a line feed that is not JSON, as a killed process leaves it: `cut` off (the
   * default), or `keep` it as a line of its own, for a reader that passes over what it cannot read.
   */
  readonly torn?: "cut" | "keep";
}

/**
 * A file of one JSON object a line that is only ever appended to. Each line reaches the operating system
 * before `append` returns, so a killed process loses at most the line it was writing. A power cut loses what was
 * appended in the last seconds.
 */
export class JsonLinesFile<T> {
  private file: number | undefined;
  private size: number;
  private flush: NodeJS.Timeout | undefined;
  private flushFailure: unknown;
  private readonly place: string;
  private looked = 0;

  /** @throws {UserError} where it cannot be opened or made */
  constructor(
    readonly path: string,
    options: JsonLinesOptions = {},
  ) {
    try {
      mkdirSync(dirname(path), { recursive: true });
      this.file = openSync(path, "a+");
      endLastLine(this.file, options.torn ?? "cut");
      this.size = fstatSync(this.file).size;
      this.place = placeOf(fstatSync(this.file, { bigint: true }));
    } catch (error) {
      if (this.file !== undefined) closeSync(this.file);
      throw new UserError(`cannot append to ${path}: ${messageOf(error)}`, {
        hint: hintForSystemError(error),
        cause: error,
      });
    }
  }

  /**
   * @throws {UserError} when the disk is full (the file then still ends with a whole line), or the file was removed or
   * renamed: what was appended is then where the file went.
   */
  append(...values: T[]): void {
    if (this.file === undefined) throw new Error(`${this.path} is closed`);
    if (this.flushFailure !== undefined) throw this.failed(this.flushFailure);
    const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(""), "utf8");
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.file, bytes, done);
    } catch (error) {
      try {
        ftruncateSync(this.file, this.size);
      } catch {
        // Whoever opens it next finds a torn line.
      }
      throw this.failed(error);
    }
    this.size += bytes.length;
    this.flush ??= setTimeout(() => this.flushSoon(), FLUSH).unref();
    const now = performance.now();
    if (now - this.looked < LOOK) return;
    this.looked = now;
    this.requireName();
  }

  private requireName(): void {
    let there: string | undefined;
    try {
      there = placeOf(statSync(this.path, { bigint: true }));
    } catch {}
    if (there === this.place) return;
    throw new UserError(`${this.path} is gone: it, or its folder, was removed or renamed while it was written`, {
      hint: "Put the folder back under its name and run the same command again: what was written went with the folder.",
    });
  }

  private failed(error: unknown): UserError {
    return new UserError(`cannot append to ${this.path}: ${messageOf(error)}`, {
      hint: "What was written so far is kept. Free some space and run the same command again.",
      cause: error,
    });
  }

  /** @throws {UserError} where what was appended last could not be brought to the disk */
  close(): void {
    if (this.file === undefined) return;
    clearTimeout(this.flush);
    const file = this.file;
    this.file = undefined;
    try {
      if (this.flush) fdatasyncSync(file);
    } catch (error) {
      this.noteFlush(error);
    }
    closeSync(file);
    if (this.flushFailure !== undefined) throw this.failed(this.flushFailure);
  }

  private flushSoon(): void {
    this.flush = undefined;
    if (this.file !== undefined) fdatasync(this.file, (error) => this.noteFlush(error));
  }

  /** Pipes and some file systems cannot be flushed: that is no loss. A full disk may be told only then. */
  private noteFlush(error: unknown): void {
    const code = (error as NodeJS.ErrnoException | null)?.code;
    if (code === "ENOSPC" || code === "EDQUOT" || code === "EIO") this.flushFailure ??= error;
  }
}

/** What tells a file from others, whatever its name. */
const placeOf = ({ dev, ino }: BigIntStats): string => `${dev}:${ino}`;

/** A last line that is whole but for its line feed gets one; any other is torn. */
function endLastLine(file: number, torn: "cut" | "keep"): void {
  const { size } = fstatSync(file);
  let end = size;
  const piece = Buffer.alloc(65_536);
  let keep = 0;
  while (end > 0) {
    const start = Math.max(0, end - piece.length);
    const count = readSync(file, piece, 0, end - start, start);
    const at = piece.subarray(0, count).lastIndexOf(0x0a);
    if (at >= 0) {
      keep = start + at + 1;
      break;
    }
    end = start;
  }
  if (keep === size) return;
  if (torn === "keep" || isWhole(file, keep, size)) writeSync(file, "\n");
  else ftruncateSync(file, keep);
}

function isWhole(file: number, from: number, to: number): boolean {
  if (to - from > LONGEST_TORN) return false;
  const bytes = Buffer.alloc(to - from);
  readSync(file, bytes, 0, bytes.length, from);
  try {
    return typeof JSON.parse(bytes.toString("utf8")) === "object";
  } catch {
    return false;
  }
}

/**
 * Reads a file of one JSON value a line, each held against a schema, as a stream; a torn last line (no newline at its
 * end that does not parse) and a byte order mark are passed over. A missing file has no lines.
 * @throws {UserError} naming file and line where any other line is not JSON, or not as the schema says.
 */
export async function* readJsonLines<T>(
  path: string,
  schema: z.ZodType<T>,
  options: ReadJsonOptions = {},
): AsyncGenerator<T> {
  if (!existsSync(path)) return;
  const { hint = "It is damaged, or another program wrote it: write or fetch it again." } = options;
  for await (const { number, text, whole } of readLines(path)) {
    if (text.trim() === "") continue;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      if (!whole) return;
      throw new UserError(`${path}:${number}: not a JSON object: ${printableName(messageOf(error))}`, {
        hint,
      });
    }
    yield checkedAs(value, schema, `${path}:${number}`, hint);
  }
}

/** A value as a line of JSON. */
export const lineOf = (value: unknown): string => `${JSON.stringify(value)}\n`;

/**
 * Writes values as lines of JSON, whole or not at all; one value at a time is in memory. @throws {UserError} where it
 * cannot be written
 */
export function writeJsonLines(path: string, values: Iterable<unknown>): void {
  writePiecesWhole(
    path,
    (function* () {
      for (const value of values) yield lineOf(value);
    })(),
  );
}
