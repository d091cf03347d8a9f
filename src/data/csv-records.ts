/*
 * Finds records and their lines. Only where something is wrong: DuckDB reads the files, but its errors do not always
 * name the line at which a person has to look.
 */

/** Told each record with the line that it begins at, the header being record 0; returns whether to go on. */
export type RecordVisitor = (index: number, line: number, cells: string[]) => boolean;

/** A fault and the line (from 1) of the record that has it. */
export interface CsvFault {
  readonly line: number;
  readonly what: string;
}

/**
 * Walks over the records of a CSV file (RFC 4180; line ends LF or CRLF).
 * @returns the fault that ended the walk, if one did
 */
export function visitRecords(bytes: Uint8Array, visit: RecordVisitor): CsvFault | undefined {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  let [line, begun, index, cell, quoted, afterQuote] = [1, 1, 0, "", false, false];
  let cells: string[] = [];
  for (let i = 0; i < text.length; i++) {
    const ch = text[i] as string;
    if (ch === "\n") line++;
    if (quoted) {
      if (ch !== '"') cell += ch;
      else if (text[i + 1] === '"') {
        cell += '"';
        i++;
      } else {
        quoted = false;
        afterQuote = true;
      }
    } else if (ch === '"' && cell === "" && !afterQuote) quoted = true;
    else if (ch === ",") {
      cells.push(cell);
      cell = "";
      afterQuote = false;
    } else if (ch === "\n") {
      cells.push(cell.endsWith("\r") ? cell.slice(0, -1) : cell);
      if (!(cells.length === 1 && cells[0] === "") && !visit(index++, begun, cells)) return undefined;
      [cell, cells, begun, afterQuote] = ["", [], line, false];
    } else if (afterQuote && ch !== "\r") return { line: begun, what: "text stands behind a closing quote" };
    else cell += ch;
  }
  if (quoted) return { line: begun, what: "a quote is opened and never closed" };
  if (cell !== "" || cells.length) {
    cells.push(cell);
    visit(index, begun, cells);
  }
  return undefined;
}

/** The first fault of a file whose records should have so many cells. */
export function firstFault(bytes: Uint8Array, width: number): CsvFault | undefined {
  const badByte = firstInvalidByte(bytes);
  let short: CsvFault | undefined;
  const broken = visitRecords(bytes, (_index, line, cells) => {
    if (cells.length !== width) short = { line, what: `the row has ${cells.length} cells, expected ${width}` };
    return short === undefined;
  });
  const bad = badByte === undefined ? undefined : { line: lineAt(bytes, badByte), what: "bytes that are not UTF-8" };
  return [bad, short, broken].filter((fault) => fault !== undefined).sort((a, b) => a.line - b.line)[0];
}

const lineAt = (bytes: Uint8Array, offset: number): number => {
  let line = 1;
  for (let i = 0; i < offset; i++) if (bytes[i] === 0x0a) line++;
  return line;
};

/** Where the first byte stands that is not UTF-8: found by halving, since decoders do not say. */
function firstInvalidByte(bytes: Uint8Array): number | undefined {
  const valid = (end: number): boolean => {
    try {
      // `stream` lets a character be cut at the end.
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, end), { stream: end < bytes.length });
      return true;
    } catch {
      return false;
    }
  };
  if (valid(bytes.length)) return undefined;
  let [low, high] = [0, bytes.length];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (valid(middle)) low = middle;
    else high = middle;
  }
  return low;
}
