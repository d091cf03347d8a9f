import { isUtf8 } from "node:buffer";
import { closeSync, openSync, readSync } from "node:fs";
import { separatorOf } from "./csv-bytes.js";

/*
 * Finds records and their lines, only where something is wrong: files are read by their bytes (`csv-bytes.ts`), which
 * counts no lines.
 */

/** Told each record with the line that it begins at, the header being record 0; returns whether to go on. */
export type RecordVisitor = (index: number, line: number, cells: string[]) => boolean;

/** A fault and the line (from 1) of the record that has it. */
export interface CsvFault {
  readonly line: number;
  readonly what: string;
}

/** Bytes that are read at once. */
const PIECE = 1 << 20;
/** Characters of a cell at most: a quote that is never closed takes no more into memory. */
const LONGEST = 64 << 20;
export const NOT_UTF8 = "bytes that are not UTF-8";
const UNCLOSED = "a quote is opened and never closed";

function* piecesOf(path: string): Generator<Uint8Array> {
  const file = openSync(path, "r");
  try {
    for (;;) {
      const piece = new Uint8Array(PIECE);
      const count = readSync(file, piece, 0, PIECE, null);
      if (count === 0) return;
      yield piece.subarray(0, count);
    }
  } finally {
    closeSync(file);
  }
}

function* textOf(path: string): Generator<string> {
  // A byte order mark is passed over.
  const decoder = new TextDecoder("utf-8");
  for (const piece of piecesOf(path)) yield decoder.decode(piece, { stream: true });
  yield decoder.decode();
}

/** A quote, a separator, a line's end, or all up to the next of these. */
const partBetween = (separator: string): RegExp => new RegExp(`["${separator}\\n]|[^"${separator}\\n]+`, "g");

/**
 * Walks over the records of a CSV file (RFC 4180; line ends LF or CRLF); a piece of the file and one record at a time
 * are in memory.
 * @returns the fault that ended the walk, if one did: also a cell of more than 64 Mi characters
 */
export function visitRecords(path: string, visit: RecordVisitor): CsvFault | undefined {
  const separator = String.fromCharCode(separatorOf(path));
  const parts = partBetween(separator);
  let [line, begun, index, cell] = [1, 1, 0, ""];
  // `closing`: behind a quote in a quoted cell, which closes it unless another quote follows.
  let state: "plain" | "quoted" | "closing" | "closed" = "plain";
  let cells: string[] = [];
  for (const text of textOf(path)) {
    for (const [part] of text.matchAll(parts)) {
      if (part === "\n") line++;
      if (state === "quoted") {
        if (part === '"') state = "closing";
        else if (cell.length > LONGEST) return { line: begun, what: UNCLOSED };
        else cell += part;
      } else if (part === '"' && state === "closing") {
        cell += '"';
        state = "quoted";
      } else if (part === '"' && cell === "" && state === "plain") state = "quoted";
      else if (part === separator) {
        cells.push(cell);
        [cell, state] = ["", "plain"];
      } else if (part === "\n") {
        cells.push(state === "plain" && cell.endsWith("\r") ? cell.slice(0, -1) : cell);
        if (!(cells.length === 1 && cells[0] === "") && !visit(index++, begun, cells)) return undefined;
        [cell, cells, begun, state] = ["", [], line, "plain"];
      } else if (state === "closing" || state === "closed") {
        if (!/^\r+$/.test(part)) return { line: begun, what: "text stands behind a closing quote" };
        state = "closed";
      } else if (cell.length > LONGEST) return { line: begun, what: "a record without an end" };
      else cell += part;
    }
  }
  if (state === "quoted") return { line: begun, what: UNCLOSED };
  if (cell !== "" || cells.length) {
    cells.push(cell);
    visit(index, begun, cells);
  }
  return undefined;
}

/** The first fault of a file whose records should have so many cells; undefined for as many as its header. */
export function firstFault(path: string, width?: number): CsvFault | undefined {
  const badLine = firstInvalidLine(path);
  let short: CsvFault | undefined;
  const broken = visitRecords(path, (_index, line, cells) => {
    width ??= cells.length;
    if (cells.length !== width) short = { line, what: `the row has ${cells.length} cells, expected ${width}` };
    return short === undefined;
  });
  const bad = badLine === undefined ? undefined : { line: badLine, what: NOT_UTF8 };
  return [bad, short, broken].filter((fault) => fault !== undefined).sort((a, b) => a.line - b.line)[0];
}

/** The first line (from 1) whose bytes are not UTF-8. */
function firstInvalidLine(path: string): number | undefined {
  let line = 1;
  let pending: Uint8Array[] = [];
  for (const piece of piecesOf(path)) {
    let start = 0;
    for (let end = piece.indexOf(0x0a); end >= 0; end = piece.indexOf(0x0a, start)) {
      pending.push(piece.subarray(start, end));
      if (!isUtf8(Buffer.concat(pending))) return line;
      [pending, start] = [[], end + 1];
      line++;
    }
    pending.push(piece.subarray(start));
    // The walk over the records ends there too.
    if (pending.length * PIECE > LONGEST) return undefined;
  }
  return isUtf8(Buffer.concat(pending)) ? undefined : line;
}
