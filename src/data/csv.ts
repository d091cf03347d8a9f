import { statSync } from "node:fs";
import { resolve } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { UserError } from "../base/errors.js";
import { printableName } from "../base/printable.js";
import { firstFault, type RecordVisitor, visitRecords } from "./csv-records.js";

/** MMMLU's columns, as the hub names them. The first one's header cell is empty in the files. */
export const COLUMNS = ["Unnamed: 0", "Question", "A", "B", "C", "D", "Answer", "Subject"] as const;
export type Column = (typeof COLUMNS)[number];

/** A file's cells by column, all of one length. Cells are text; an empty cell is the empty string. */
export type Table = Record<Column, string[]>;

let connection: Promise<DuckDBConnection> | undefined;
const duckdb = (): Promise<DuckDBConnection> =>
  (connection ??= DuckDBInstance.create(":memory:").then((instance) => instance.connect()));

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/**
 * A file as DuckDB is to be told of it, quoted; undefined where it would read another. DuckDB takes a path as a pattern (`*`, `?`,
 * `[`) and gives a meaning to how it begins (`~`, `s3:`): so the path is whole, its signs are escaped, and DuckDB is asked which file
 * that is. What is told besides: no column comes from a folder's name (`Answer=B`), no packing from the file's (`.gz`).
 */
async function duckdbFile(path: string): Promise<string | undefined> {
  const whole = resolve(path);
  const pattern = quoted(whole.replace(/[[*?]/g, (sign) => `[${sign}]`));
  try {
    const found = await (await duckdb()).runAndReadAll(`select file from glob(${pattern})`);
    const [files] = found.getColumns();
    return files?.length === 1 && files[0] === whole
      ? `${pattern}, hive_partitioning = false, compression = 'none'`
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads one of MMMLU's CSV files. Cells are kept as text exactly as they stand, line breaks and outer blanks included.
 * @throws {UserError} with file and line: a missing column, a row of too few or too many cells, an unclosed quote,
 * bytes that are not UTF-8, no rows
 */
export async function readTable(path: string): Promise<Table> {
  if (statSync(path).size === 0) throw new UserError(`${path}: the file is empty`);
  const order = columnOrder(path);
  const cells = (await cellsByDuckdb(path, order)) ?? cellsByRecords(path, order.length);
  const table = {} as Table;
  order.forEach((name, index) => {
    if ((COLUMNS as readonly string[]).includes(name)) table[name as Column] = cells[index] as string[];
  });
  if (!table.Question?.length) throw new UserError(`${path}: there is a header but no row`);
  return table;
}

const OPTIONS =
  "header = true, auto_detect = false, all_varchar = true, delim = ',', quote = '\"', escape = '\"', strict_mode = true, max_line_size = 67108864";

/** Cells by column; undefined where the file is sound and DuckDB does not read it (mixed line ends, a path that it cannot be told). */
async function cellsByDuckdb(path: string, order: readonly string[]): Promise<unknown[][] | undefined> {
  const file = await duckdbFile(path);
  if (file === undefined) return undefined;
  const columns = order.map((name) => `${quoted(name)}: 'VARCHAR'`).join(", ");
  try {
    // No text is a null here: "None", "NA" and the empty cell are what they are.
    const reader = await (await duckdb()).runAndReadAll(
      `select * from read_csv(${file}, ${OPTIONS}, nullstr = '\u0001\u0001', columns = {${columns}})`,
    );
    return reader.getColumns();
  } catch (error) {
    const fault = firstFault(path, order.length);
    if (fault) throw new UserError(`${path}:${fault.line}: ${fault.what}`, { cause: error });
    return undefined;
  }
}

function cellsByRecords(path: string, width: number): string[][] {
  const fault = firstFault(path, width);
  if (fault) throw new UserError(`${path}:${fault.line}: ${fault.what}`);
  const cells: string[][] = Array.from({ length: width }, () => []);
  visitRecords(path, (index, _line, record) => {
    if (index > 0) record.forEach((cell, column) => cells[column]?.push(cell));
    return true;
  });
  return cells;
}

/** The line (from 1) at which a record begins; record 0 is the first after the header. */
export function lineOfRecord(path: string, record: number): number {
  let found = 0;
  const visitor: RecordVisitor = (index, line) => {
    if (index === record + 1) found = line;
    return found === 0;
  };
  visitRecords(path, visitor);
  return found;
}

function columnOrder(path: string): string[] {
  let header: string[] = [];
  visitRecords(path, (_index, _line, cells) => {
    header = cells;
    return false;
  });
  const names = header.map((name, index) => (index === 0 && name === "" ? "Unnamed: 0" : name));
  const missing = COLUMNS.filter((column) => !names.includes(column));
  if (missing.length)
    throw new UserError(`${path}:1: the column ${missing.map((name) => `"${name}"`).join(", ")} is missing`, {
      hint: `The header has: ${printableName(names.join(", "), 500)}. MMMLU's files have: ${COLUMNS.join(", ")}.`,
    });
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UserError(`${path}:1: the column "${printableName(twice)}" is there twice`);
  return names;
}
