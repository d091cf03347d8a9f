import {
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { messageOf, UserError } from "./errors.js";
import { writePiecesWhole } from "./files.js";
import { readLines } from "./text.js";

/** Milliseconds after which what was appended goes to the disk: what a power cut may cost. */
const FLUSH = 5000;

/**
 * A file of one JSON object a line that is only ever appended to. Each line reaches the operating system
 * before `append` returns, so a killed process loses at most the line it was writing; opening the file again
 * cuts such a torn last line off. A power cut loses what was appended in the last seconds.
 */
export class JsonLinesFile<T> {
  #file: number | undefined;
  #size: number;
  #flush: NodeJS.Timeout | undefined;

  constructor(readonly path: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.#file = openSync(path, "a+");
    cutTornLine(this.#file);
    this.#size = fstatSync(this.#file).size;
  }

  /** @throws {UserError} when the disk is full; the file then still ends with a whole line. */
  append(...values: T[]): void {
    if (this.#file === undefined) throw new Error(`${this.path} is closed`);
    const bytes = Buffer.from(values.map(lineOf).join(""), "utf8");
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done);
      this.#size += bytes.length;
      this.#flush ??= setTimeout(() => this.#flushSoon(), FLUSH).unref();
    } catch (error) {
      ftruncateSync(this.#file, this.#size);
      throw new UserError(`cannot append to ${this.path}: ${messageOf(error)}`, {
        hint: "What was written so far is kept. Free some space and run the same command again.",
        cause: error,
      });
    }
  }

  close(): void {
    if (this.#file === undefined) return;
    clearTimeout(this.#flush);
    // What cannot be flushed (a full disk, a pipe) was still handed to the system.
    try {
      if (this.#flush) fdatasyncSync(this.#file);
    } catch {}
    closeSync(this.#file);
    this.#file = undefined;
  }

  #flushSoon(): void {
    this.#flush = undefined;
    if (this.#file !== undefined) fdatasync(this.#file, () => {});
  }
}

function cutTornLine(file: number): void {
  let end = fstatSync(file).size;
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
  if (keep < fstatSync(file).size) ftruncateSync(file, keep);
}

/**
 * Reads a file of one JSON object a line, as a stream; a torn last line (no newline at its end that does not
 * parse) and a byte order mark are passed over. A missing file has no lines.
 * @throws {UserError} naming file and line where any other line is not JSON.
 */
export async function* readJsonLines<T>(path: string): AsyncGenerator<T> {
  if (!existsSync(path)) return;
  for await (const { number, text, whole } of readLines(path)) {
    if (text.trim() === "") continue;
    let value: T;
    try {
      value = JSON.parse(text) as T;
    } catch (error) {
      if (!whole) return;
      throw new UserError(`${path}:${number}: not a JSON object: ${messageOf(error)}`);
    }
    yield value;
  }
}

/** A value as a line of JSON. */
const lineOf = (value: unknown): string => `${JSON.stringify(value)}\n`;

/** Writes values as lines of JSON, whole or not at all; one value at a time is in memory. @throws {UserError} where it cannot be written */
export function writeJsonLines(path: string, values: Iterable<unknown>): void {
  writePiecesWhole(
    path,
    (function* () {
      for (const value of values) yield lineOf(value);
    })(),
  );
}
