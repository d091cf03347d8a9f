import { closeSync, openSync, readSync, statSync } from "node:fs";
import { messageOf, UserError } from "../base/errors.js";
import { isSystemError } from "../base/files.js";
import { hintForReading } from "../base/hint-for-reading.js";
import { printableName } from "../base/printable.js";
import { CsvFaultError, csvBlocks, recordAt, type Separator, separatorOf } from "./csv-bytes.js";
import { firstFault, NOT_UTF8, type RecordVisitor, visitRecords } from "./csv-records.js";
import { requireColumns, type Table } from "./table.js";

/**
 * Reads a CSV file. Cells are kept as text exactly as they stand, line breaks and outer blanks included; an empty cell
 * is the empty string. Cells are separated by commas, or by semicolons or tabs where the header says so
 * (`separatorOf`). The first column may have no name in the header: pandas writes its index so, and calls it
 * `Unnamed: 0`.
 * @param wanted the columns that must be there; all are given
 * @throws {UserError} with file and line: a missing column, a row of too few or too many cells, an unclosed quote,
 * bytes that are not UTF-8, no rows
 */
export async function readCsv(path: string, wanted: readonly string[] = []): Promise<Table> {
  const parts = [...csvTables(path, wanted)];
  const [first] = parts as [Table];
  if (parts.length === 1) return first;
  const columns = new Map([...first.columns.keys()].map((name) => [name, [] as string[]]));
  for (const part of parts)
    for (const [name, cells] of part.columns) {
      const own = columns.get(name)!;
      for (const cell of cells) own.push(cell as string);
    }
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const { separator } = first;
  return { path, length, columns, separator, place: (row) => `${path}:${lineOfRecord(path, row)}` };
}

/**
 * As {@link readCsv}, some rows at a time: what was gone through is not held.
 * @param told each block of the file's bytes as it is read
 */
export function* csvTables(
  path: string,
  wanted: readonly string[] = [],
  told?: (bytes: Buffer) => void,
): Generator<Table> {
  if (statSync(path).size === 0)
    throw new UserError(`${path}: the file is empty`, { hint: "Fetch or write the file again." });
  let names: readonly string[] | undefined;
  let rows = 0;
  try {
    const separator = separatorOf(path);
    for (const block of csvBlocks(path, told, separator)) {
      const records = names ? block : block.slice(1);
      names ??= columnNames(path, block[0]!.cells, wanted);
      if (records.length === 0) continue;
      const width = names.length;
      for (const { cells } of records)
        if (cells.length !== width) throw new CsvFaultError(`a row of ${cells.length} cells, expected ${width}`);
      const before = rows;
      rows += records.length;
      yield {
        path,
        length: records.length,
        separator,
        columns: new Map(names.map((name, column) => [name, records.map(({ cells }) => cells[column]!)])),
        place: (row) => `${path}:${lineOfRecord(path, before + row)}`,
        bytesOf: (row) => records[row]!,
      };
    }
  } catch (error) {
    throw error instanceof CsvFaultError
      ? faultIn(path, names?.length, error)
      : isSystemError(error)
        ? new UserError(`cannot read ${path}: ${messageOf(error)}`, { hint: hintForReading(error), cause: error })
        : error;
  }
  if (rows === 0)
    throw new UserError(`${path}: there is ${names ? "a header but no row" : "no header"}`, {
      hint: "Fetch or write the file again.",
    });
}

/** The cells of one record, from its bytes. */
export function cellsOfRecord(bytes: Buffer, separator?: Separator): readonly string[] {
  return recordAt(bytes, 0, true, separator)!.cells;
}

const HINT =
  "Mend the line: fields are separated by commas (by semicolons or tabs where the header has no comma), and one with " +
  "a separator, a quote or a line break stands in double quotes.";

const ENCODING = "Save the file as UTF-8: Excel calls it CSV UTF-8, LibreOffice asks for the character set.";

/** The first fault of a file, with its line. */
function faultIn(path: string, width: number | undefined, cause: CsvFaultError): UserError {
  if (isUtf16(path)) return new UserError(`${path}: the file is UTF-16, not UTF-8`, { hint: ENCODING, cause });
  const fault = firstFault(path, width);
  return new UserError(fault ? `${path}:${fault.line}: ${fault.what}` : `${path}: ${cause.message}`, {
    hint: fault?.what === NOT_UTF8 ? ENCODING : HINT,
    cause,
  });
}

/** Whether a file begins with one of UTF-16's byte order marks. */
function isUtf16(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const mark = Buffer.alloc(2);
    readSync(file, mark, 0, 2, 0);
    return [0xfffe, 0xfeff].includes(mark.readUInt16BE());
  } finally {
    closeSync(file);
  }
}

/** The line (from 1) at which a record begins; record 0 is the first after the header. */
function lineOfRecord(path: string, record: number): number {
  let found = 0;
  const visitor: RecordVisitor = (index, line) => {
    if (index === record + 1) found = line;
    return found === 0;
  };
  visitRecords(path, visitor);
  return found;
}

/** A few of many. */
const some = (places: readonly number[]): string => places.slice(0, 5).join(", ") + (places.length > 5 ? ", …" : "");

function columnNames(path: string, header: readonly string[], wanted: readonly string[]): string[] {
  const names = header.map((name, index) => (index === 0 && name === "" ? "Unnamed: 0" : name));
  requireColumns(`${path}:1`, names, wanted);
  const unnamed = names.flatMap((name, index) => (name.trim() === "" ? [index + 1] : []));
  if (unnamed.length > 1)
    throw new UserError(`${path}:1: ${unnamed.length} columns have no name: ${some(unnamed)}`, {
      hint: "Name them, or remove them: a spreadsheet saves empty columns where cells beside the table were once used.",
    });
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new UserError(`${path}:1: the column "${printableName(twice)}" is there twice`, {
      hint: "Rename or remove one of them.",
    });
  return names;
}
