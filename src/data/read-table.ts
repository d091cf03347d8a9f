import { extname } from "node:path";
import { UserError } from "../base/errors.js";
import { readCsv } from "./csv.js";
import { readJsonRows } from "./json-rows.js";
import { readParquet } from "./parquet.js";
import type { Table } from "./table.js";

const readers: Readonly<Record<string, (path: string, wanted?: readonly string[]) => Promise<Table>>> = {
  ".csv": readCsv,
  ".parquet": readParquet,
  ".jsonl": readJsonRows,
  ".ndjson": readJsonRows,
};

/** Whether a file is read as CSV. */
export const isCsv = (path: string): boolean => extname(path).toLowerCase() === ".csv";

/**
 * Reads a file of rows by its name's ending.
 * @param wanted the columns that must be there; undefined for whatever columns there are
 * @throws {UserError} naming file, line and column
 */
export function readTable(path: string, wanted?: readonly string[]): Promise<Table> {
  const reader = readers[extname(path).toLowerCase()];
  if (!reader)
    throw new UserError(`${path}: rows are not read from such a file`, {
      hint: `Files of rows end in ${Object.keys(readers).join(", ")}.`,
    });
  return reader(path, wanted);
}
