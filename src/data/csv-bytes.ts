import { isUtf8 } from "node:buffer";
import { closeSync, openSync, readSync } from "node:fs";

/** A record of a CSV file (RFC 4180): its cells, and where its bytes are. */
export interface CsvRecord {
  readonly offset: number;
  /** Bytes, its line end included. */
  readonly length: number;
  readonly cells: readonly string[];
}

/** A file that is no CSV from some record on; which line it is, `firstFault` finds. */
export class CsvFaultError extends Error {}

/**
 * Bytes that are read at once: few, so that what was made of a block is gone before the next comes. Behind a record
 * that has not ended, as many again as there are of it: it is gone through anew, and three times at most in all.
 */
const BLOCK = 1 << 16;
/** Bytes of a record at most: an unclosed quote must not take the rest of a file into memory. */
const LONGEST = 64 << 20;

const [QUOTE, COMMA, FEED, RETURN] = [0x22, 0x2c, 0x0a, 0x0d];

/** What stands between cells, as a byte. */
export type Separator = number;
/** A comma, or what spreadsheets of other countries write, with their names; the first that a header has counts. */
export const SEPARATORS: ReadonlyMap<Separator, string> = new Map([
  [COMMA, "commas"],
  [0x3b, "semicolons"],
  [0x09, "tabs"],
]);

/** What separates a file's cells: a comma, unless its header has none outside of quotes, but semicolons or tabs. */
export function separatorOf(path: string): Separator {
  const file = openSync(path, "r");
  try {
    const bytes = nextBlock(file, BLOCK);
    const header = bytes.subarray(bytes.subarray(0, MARK.length).equals(MARK) ? MARK.length : 0);
    const there = new Set<number>();
    let quoted = false;
    for (const byte of header) {
      if (byte === QUOTE) quoted = !quoted;
      else if (byte === FEED && !quoted) break;
      else if (!quoted) there.add(byte);
    }
    return [...SEPARATORS.keys()].find((one) => there.has(one)) ?? COMMA;
  } finally {
    closeSync(file);
  }
}
const MARK = Buffer.from("\ufeff");

/**
 * The records of a CSV file in blocks, each block's as a list; empty lines are passed over, a byte order mark too. A
 * block at a time is in memory. Line ends are LF or CRLF.
 * @param told each block of bytes as it is read, in order
 * @throws {CsvFaultError} where text stands behind a closing quote, a quote is not closed, or bytes are not UTF-8
 */
export function* csvBlocks(
  path: string,
  told?: (bytes: Buffer) => void,
  separator: Separator = COMMA,
): Generator<CsvRecord[]> {
  const file = openSync(path, "r");
  try {
    let [bytes, start, ended] = [Buffer.alloc(0), 0, false];
    while (!ended) {
      const wanted = Math.max(BLOCK, Math.min(bytes.length, LONGEST + 1 - bytes.length));
      const block = nextBlock(file, wanted);
      ended = block.length < wanted;
      told?.(block);
      // What is left of the last block is the beginning of a record.
      bytes = bytes.length ? Buffer.concat([bytes, block]) : block;
      if (start === 0 && bytes.subarray(0, MARK.length).equals(MARK)) {
        bytes = bytes.subarray(MARK.length);
        start += MARK.length;
      }
      const records: CsvRecord[] = [];
      let at = 0;
      while (at < bytes.length) {
        const record = recordAt(bytes, at, ended, separator);
        if (!record) break;
        if (record.cells.length > 1 || record.cells[0] !== "")
          records.push({ offset: start + at, length: record.end - at, cells: record.cells });
        at = record.end;
      }
      if (!isUtf8(bytes.subarray(0, at))) throw new CsvFaultError("bytes that are not UTF-8");
      bytes = bytes.subarray(at);
      start += at;
      if (bytes.length > LONGEST) throw new CsvFaultError("a record without an end");
      if (records.length) yield records;
    }
  } finally {
    closeSync(file);
  }
}

/** The next bytes of a file: as many as are wanted, fewer at its end alone. */
function nextBlock(file: number, wanted: number): Buffer<ArrayBuffer> {
  const block = Buffer.allocUnsafe(wanted);
  let length = 0;
  while (length < wanted) {
    const count = readSync(file, block, length, wanted - length, null);
    if (count === 0) break;
    length += count;
  }
  return block.subarray(0, length);
}

/**
 * The record that begins at a place; undefined where its end is not among the bytes.
 * @param ended whether no bytes come after these
 * @throws {CsvFaultError}
 */
export function recordAt(
  bytes: Buffer,
  start: number,
  ended: boolean,
  separator: Separator = COMMA,
): { cells: string[]; end: number } | undefined {
  const cells: string[] = [];
  let at = start;
  for (;;) {
    let next: number;
    if (bytes[at] === QUOTE) {
      const closing = closingQuote(bytes, at + 1, ended);
      if (closing === undefined) {
        if (ended) throw new CsvFaultError("a quote is opened and never closed");
        return undefined;
      }
      const text = bytes.toString("utf8", at + 1, closing);
      next = closing + 1;
      cells.push(text.includes('"') ? text.replaceAll('""', '"') : text);
      while (bytes[next] === RETURN) next++;
      if (next < bytes.length && bytes[next] !== separator && bytes[next] !== FEED)
        throw new CsvFaultError("text stands behind a closing quote");
    } else {
      next = at;
      while (next < bytes.length && bytes[next] !== separator && bytes[next] !== FEED) next++;
      if (next < bytes.length || ended) {
        const end = bytes[next] === FEED && next > at && bytes[next - 1] === RETURN ? next - 1 : next;
        cells.push(
          end - at === 1 && bytes[at]! < 0x80 ? String.fromCharCode(bytes[at]!) : bytes.toString("utf8", at, end),
        );
      }
    }
    if (next >= bytes.length) return ended ? { cells, end: bytes.length } : undefined;
    at = next + 1;
    if (bytes[next] === FEED) return { cells, end: at };
    // A separator at the very end has an empty cell behind it.
    if (at === bytes.length && ended) return { cells: [...cells, ""], end: at };
  }
}

/** The quote that closes a cell: the first that no other follows. */
function closingQuote(bytes: Buffer, from: number, ended: boolean): number | undefined {
  for (let at = bytes.indexOf(QUOTE, from); at >= 0; at = bytes.indexOf(QUOTE, at + 2)) {
    if (at + 1 === bytes.length && !ended) return undefined;
    if (bytes[at + 1] !== QUOTE) return at;
  }
  return undefined;
}
