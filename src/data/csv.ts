import { statSync } from "node:fs";
import { UserError } from "../base/errors.js";
import { printableName } from "../base/printable.js";
import { firstFault, type RecordVisitor, visitRecords } from "./csv-records.js";
import { duckdb, duckdbFile, quoted } from "./duckdb.js";
import { requireColumns, type Table } from "./table.js";

/**
 * Reads a CSV file. Cells are kept as text exactly as they stand, line breaks and outer blanks included; an empty cell
 * is the empty string. The first column may have no name in the header: pandas writes its index so, and calls it
 * `Unnamed: 0`.
 * @param wanted the columns that must be there; all are given
 * @throws {UserError} with file and line: a missing column, a row of too few or too many cells, an unclosed quote,
 * bytes that are not UTF-8, no rows
 */
export async function readCsv(path: string, wanted: readonly string[] = []): Promise<Table> {
  if (statSync(path).size === 0)
    throw new UserError(`${path}: the file is empty`, { hint: "Fetch or write the file again." });
  const order = columnOrder(path, wanted);
  const cells = (await cellsByDuckdb(path, order)) ?? cellsByRecords(path, order.length);
  if (!cells[0]?.length)
    throw new UserError(`${path}: there is a header but no row`, { hint: "Fetch or write the file again." });
  return {
    path,
    length: cells[0].length,
    columns: new Map(order.map((name, index) => [name, cells[index] as string[]])),
    place: (row) => `${path}:${lineOfRecord(path, row)}`,
  };
}

const OPTIONS =
  "header = true, auto_detect = false, all_varchar = true, delim = ',', quote = '\"', escape = '\"', " +
  "strict_mode = true, max_line_size = 67108864";

/**
 * Cells by column; undefined where the file is sound and DuckDB does not read it (mixed line ends, a path that it
 * cannot be told).
 */
async function cellsByDuckdb(path: string, order: readonly string[]): Promise<unknown[][] | undefined> {
  const pattern = await duckdbFile(path);
  if (pattern === undefined) return undefined;
  // No column comes from a folder's name (`Answer=B`), no packing from the file's (`.gz`).
  const file = `${pattern}, hive_partitioning = false, compression = 'none'`;
  const columns = order.map((name) => `${quoted(name)}: 'VARCHAR'`).join(", ");
  try {
    // No text is a null here: "None", "NA" and the empty cell are what they are.
    const reader = await (await duckdb()).runAndReadAll(
      `select * from read_csv(${file}, ${OPTIONS}, nullstr = '\u0001\u0001', columns = {${columns}})`,
    );
    return reader.getColumns();
  } catch (error) {
    const fault = firstFault(path, order.length);
    if (fault)
      throw new UserError(`${path}:${fault.line}: ${fault.what}`, {
        hint:
          "Mend the line: fields are separated by commas, and one with a comma, a quote or a line break stands " +
          "in double quotes.",
        cause: error,
      });
    return undefined;
  }
}

function cellsByRecords(path: string, width: number): string[][] {
  const fault = firstFault(path, width);
  if (fault)
    throw new UserError(`${path}:${fault.line}: ${fault.what}`, {
      hint:
        "Mend the line: fields are separated by commas, and one with a comma, a quote or a line break stands in " +
        "double quotes.",
    });
  const cells: string[][] = Array.from({ length: width }, () => []);
  visitRecords(path, (index, _line, record) => {
    if (index > 0) record.forEach((cell, column) => cells[column]?.push(cell));
    return true;
  });
  return cells;
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

function columnOrder(path: string, wanted: readonly string[]): string[] {
  let header: string[] = [];
  visitRecords(path, (_index, _line, cells) => {
    header = cells;
    return false;
  });
  const names = header.map((name, index) => (index === 0 && name === "" ? "Unnamed: 0" : name));
  requireColumns(`${path}:1`, names, wanted);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new UserError(`${path}:1: the column "${printableName(twice)}" is there twice`, {
      hint: "Rename or remove one of them.",
    });
  return names;
}
