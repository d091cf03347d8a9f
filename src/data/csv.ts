import { readFile } from "node:fs/promises";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { UserError } from "../base/errors.js";
import { firstFault, type RecordVisitor, visitRecords } from "./csv-records.js";

/** MMMLU's columns, as the hub names them. The first one's header cell is empty in the files. */
export const COLUMNS = ["Unnamed: 0", "Question", "A", "B", "C", "D", "Answer", "Subject"] as const;
export type Column = (typeof COLUMNS)[number];

/** A file's cells by column, all of one length. Cells are text; an empty cell is the empty string. */
export type Table = Record<Column, string[]>;

let connection: Promise<DuckDBConnection> | undefined;
const duckdb = (): Promise<DuckDBConnection> =>
  (connection ??= DuckDBInstance.create(":memory:").then((instance) => instance.connect()));

/**
 * Reads one of MMMLU's CSV files, whose bytes have been read already. Cells are kept as text exactly as they stand, line breaks and outer blanks included.
 * @throws {UserError} with file and line: a missing column, a row of too few or too many cells, an unclosed quote,
 * bytes that are not UTF-8, no rows
 */
export async function readTable(path: string, bytes: Uint8Array): Promise<Table> {
  if (bytes.length === 0) throw new UserError(`${path}: the file is empty`);
  const order = columnOrder(path, bytes);
  const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  const columns = order.map((name) => `${quoted(name)}: 'VARCHAR'`).join(", ");
  const options =
    "header = true, auto_detect = false, all_varchar = true, delim = ',', quote = '\"', escape = '\"', strict_mode = true, max_line_size = 67108864";
  let cells: unknown[][];
  try {
    // No text is a null here: "None", "NA" and the empty cell are what they are.
    const reader = await (await duckdb()).runAndReadAll(
      `select * from read_csv(${quoted(path)}, ${options}, nullstr = '\u0001\u0001', columns = {${columns}})`,
    );
    cells = reader.getColumns();
  } catch (error) {
    const fault = firstFault(bytes, order.length);
    if (fault) throw new UserError(`${path}:${fault.line}: ${fault.what}`, { cause: error });
    // DuckDB refuses some files that are sound, such as one whose line ends are mixed.
    cells = order.map(() => []);
    visitRecords(bytes, (index, _line, record) => {
      if (index > 0) record.forEach((cell, column) => cells[column]?.push(cell));
      return true;
    });
  }
  const table = {} as Table;
  order.forEach((name, index) => {
    if ((COLUMNS as readonly string[]).includes(name)) table[name as Column] = cells[index] as string[];
  });
  if (!table.Question?.length) throw new UserError(`${path}: there is a header but no row`);
  return table;
}

/** The line (from 1) at which a record begins; record 0 is the first after the header. */
export async function lineOfRecord(path: string, record: number): Promise<number> {
  let found = 0;
  const visitor: RecordVisitor = (index, line) => {
    if (index === record + 1) found = line;
    return found === 0;
  };
  visitRecords(await readFile(path), visitor);
  return found;
}

function columnOrder(path: string, bytes: Uint8Array): string[] {
  let header: string[] = [];
  visitRecords(bytes, (_index, _line, cells) => {
    header = cells;
    return false;
  });
  const names = header.map((name, index) =>
    index === 0 && name.replace(/^\ufeff/, "") === "" ? "Unnamed: 0" : name.replace(/^\ufeff/, ""),
  );
  const missing = COLUMNS.filter((column) => !names.includes(column));
  if (missing.length)
    throw new UserError(`${path}:1: the column ${missing.map((name) => `"${name}"`).join(", ")} is missing`, {
      hint: `The header has: ${names.join(", ")}. MMMLU's files have: ${COLUMNS.join(", ")}.`,
    });
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UserError(`${path}:1: the column "${twice}" is there twice`);
  return names;
}
