import { isUtf8 } from "node:buffer";
import { createReadStream, type Stats } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { messageOf, UserError } from "./errors.js";
import { hintForReading } from "./hint-for-reading.js";

/** Bytes that a text file read as a whole has at most, unless a reader says otherwise. */
export const LONGEST_TEXT = 256 << 20;

/** A text without the byte order mark at its beginning. */
export const withoutMark = (text: string): string => (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);

const POINTER = Buffer.from("version https://git-lfs.github.com/spec/");

/**
 * @param bytes a file's first ones
 * @throws {UserError} where a file is Git LFS's pointer in place of what it stands for
 */
export function refusePointer(bytes: Uint8Array, path: string): void {
  if (POINTER.equals(bytes.subarray(0, POINTER.length)))
    throw new UserError(`${path} is a pointer of Git LFS, not the file itself`, {
      hint:
        "Run git lfs pull in the repository that it came from, or download the file anew; what lies in the hub's " +
        "cache must be removed before.",
    });
}

/** @throws {UserError} where a file's first bytes say that it is UTF-16, packed by gzip, or a pointer of Git LFS */
function refuseOther(bytes: Uint8Array, path: string): void {
  refusePointer(bytes, path);
  const [one, two] = bytes;
  if ((one === 0xff && two === 0xfe) || (one === 0xfe && two === 0xff))
    throw new UserError(`${path} is UTF-16`, { hint: "Save it as UTF-8." });
  if (one === 0x1f && two === 0x8b) throw new UserError(`${path} is packed by gzip`, { hint: "Unpack it (gunzip)." });
}

const notUtf8 = (path: string): UserError =>
  new UserError(`${path} is not UTF-8`, { hint: "It is damaged, or in another encoding: write it anew as UTF-8." });

/**
 * Reads a file of UTF-8 text as a whole, without its byte order mark.
 * @param most bytes that it may have
 * @param strict whether bytes that are no UTF-8 are refused; else they become U+FFFD
 * @throws {UserError} naming the file, where it cannot be read, is no plain file, is too large, is UTF-16, or packed
 */
export async function readText(path: string, most = LONGEST_TEXT, strict = false): Promise<string> {
  const bytes = await readBytes(path, most);
  refuseOther(bytes, path);
  if (strict && !isUtf8(bytes)) throw notUtf8(path);
  return withoutMark(bytes.toString("utf8"));
}

/** @throws {UserError} where there is something else than a file: a pipe would be waited for without end */
async function plainFile(path: string): Promise<Stats> {
  const about = await stat(path);
  if (about.isDirectory()) throw new UserError(`${path} is a folder, not a file`, { hint: "Give a file in it." });
  if (!about.isFile())
    throw new UserError(`${path} is no plain file`, {
      hint: "Pipes and devices are not read: save what they give as a file.",
    });
  return about;
}

async function readBytes(path: string, most: number): Promise<Buffer> {
  try {
    const about = await plainFile(path);
    if (about.size > most)
      throw new UserError(`${path} has ${about.size} bytes, more than the ${most} that are read`, {
        hint: "Is it the right file?",
      });
    return await readFile(path);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot read ${path}: ${messageOf(error)}`, { hint: hintForReading(error), cause: error });
  }
}

/** Characters that a line has at most, unless a reader says otherwise. */
export const LONGEST_LINE = 64 << 20;

/** A line of a file. */
export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without its line feed (and carriage return). */
  readonly text: string;
  /** Whether a line feed ended it: false only for the last line, which may be torn. */
  readonly whole: boolean;
}

/**
 * The lines of a UTF-8 file as a stream; only line feeds end them (a text may hold U+2028). A byte order mark is passed
 * over.
 * @param strict whether bytes that are no UTF-8 are refused; else they become U+FFFD
 * @throws {UserError} where the file cannot be read, or a line has more than `longest` characters
 */
export async function* readLines(path: string, longest = LONGEST_LINE, strict = false): AsyncGenerator<Line> {
  let number = 0;
  let pending: string[] = [];
  let length = 0;
  const take = (piece: string): void => {
    if ((length += piece.length) > longest)
      throw new UserError(`${path}:${number + 1}: a line of more than ${longest} characters`, {
        hint: "Is it a file of one JSON object a line?",
      });
    pending.push(piece);
  };
  const line = (whole: boolean): Line => {
    let text = pending.join("");
    if (number === 0) text = withoutMark(text);
    [pending, length] = [[], 0];
    return { number: ++number, text: whole && text.endsWith("\r") ? text.slice(0, -1) : text, whole };
  };
  for await (const piece of readPieces(path, strict)) {
    let start = 0;
    for (let end = piece.indexOf("\n"); end >= 0; end = piece.indexOf("\n", start)) {
      take(piece.slice(start, end));
      yield line(true);
      start = end + 1;
    }
    if (start < piece.length) take(piece.slice(start));
  }
  if (length > 0) yield line(false);
}

/**
 * A UTF-8 file's text in pieces; the byte order mark is kept.
 * @param strict whether bytes that are no UTF-8 are refused; else they become U+FFFD, as does a character at the end
 * that is cut in two
 * @throws {UserError} where it cannot be read, is UTF-16, or packed
 */
export async function* readPieces(path: string, strict = false): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: strict, ignoreBOM: true });
  let first = true;
  try {
    await plainFile(path);
    for await (const piece of createReadStream(path, { highWaterMark: 1 << 18 })) {
      const bytes = piece as Buffer;
      if (first) refuseOther(bytes, path);
      first = false;
      yield decoder.decode(bytes, { stream: true });
    }
    const rest = decodedEnd(decoder);
    if (rest) yield rest;
  } catch (error) {
    if (error instanceof TypeError) throw notUtf8(path);
    if (!(error instanceof Error && "syscall" in error)) throw error;
    throw new UserError(`cannot read ${path}: ${messageOf(error)}`, { hint: hintForReading(error), cause: error });
  }
}

/** What a decoder still holds at the end: a file may be cut within a character. */
function decodedEnd(decoder: TextDecoder): string {
  try {
    return decoder.decode();
  } catch {
    return "\ufffd";
  }
}
