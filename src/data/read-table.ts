import { open, stat } from "node:fs/promises";
import { extname } from "node:path";
import { UserError } from "../base/errors.js";
import { refusePointer } from "../base/text.js";
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
export async function readTable(path: string, wanted?: readonly string[]): Promise<Table> {
  const reader = readers[extname(path).toLowerCase()];
  if (!reader)
    throw new UserError(`${path}: rows are not read from such a file`, {
      hint: `Files of rows end in ${Object.keys(readers).join(", ")}.`,
    });
  await refusePointerAt(path);
  return reader(path, wanted);
}

/** What cannot be opened is told by its reader. */
async function refusePointerAt(path: string): Promise<void> {
  const about = await stat(path).catch(() => undefined);
  const file = about?.isFile() ? await open(path).catch(() => undefined) : undefined;
  if (!file) return;
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(64), 0, 64, 0);
    refusePointer(buffer.subarray(0, bytesRead), path);
  } finally {
    await file.close();
  }
}
