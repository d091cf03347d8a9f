import { randomBytes } from "node:crypto";
import { createReadStream, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { messageOf, UserError } from "../base/errors.js";
import { hintForSystemError } from "../base/files.js";
import { duckdb, named, quoted } from "./duckdb.js";

/** Bytes of a part: DuckDB takes a whole file into memory where it is smaller than its buffer, of 32 MiB at least. */
const PART = 2 << 20;

/** Bytes of the largest object that DuckDB is told of, at least: it takes no less. */
const LEAST_ROOM = 16 << 20;

/** Rows that DuckDB gathers before it writes them. */
const ROW_GROUP = 20_480;

/**
 * Writes a file of JSON lines as Parquet (Zstandard), whole or not at all; DuckDB reads it part by part.
 * @param columns the SQL type of each column; keys that are not named are left out, missing ones are null
 * @throws {UserError} where it cannot be read or written
 */
export async function jsonLinesToParquet(
  jsonLines: string,
  parquet: string,
  columns: Readonly<Record<string, string>>,
): Promise<void> {
  const temporary = `${resolve(parquet)}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`;
  const types = Object.entries(columns).map(([column, type]) => `${quoted(column)}: ${quoted(type)}`);
  const list = Object.keys(columns).map(named).join(", ");
  let folder: string | undefined;
  try {
    folder = mkdtempSync(join(tmpdir(), "mmmlu-lab-parts-"));
    const { parts, largest } = await partsOf(jsonLines, folder);
    const connection = await duckdb();
    await connection.run(
      `copy (select ${list} from read_json([${parts.map(quoted).join(", ")}], format = 'newline_delimited', ` +
        `columns = {${types.join(", ")}}, maximum_object_size = ${Math.max(LEAST_ROOM, largest)})) ` +
        `to ${quoted(temporary)} (format parquet, compression zstd, row_group_size ${ROW_GROUP})`,
    );
    renameSync(temporary, parquet);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new UserError(`cannot write ${parquet}: ${messageOf(error)}`, {
      hint: hintForSystemError(error) ?? "Free some space, or choose another folder with --out.",
      cause: error,
    });
  } finally {
    if (folder) rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes whole lines of a file, some at a time, to files of their own, in order; one at least. */
async function partsOf(path: string, folder: string): Promise<{ parts: readonly string[]; largest: number }> {
  const parts: string[] = [];
  let largest = 0;
  let pending: Buffer[] = [];
  const flush = (): void => {
    const part = join(folder, `${String(parts.length).padStart(6, "0")}.json`);
    const bytes = Buffer.concat(pending);
    writeFileSync(part, bytes);
    parts.push(part);
    largest = Math.max(largest, bytes.length);
    pending = [];
  };
  for await (const piece of createReadStream(path, { highWaterMark: PART }) as AsyncIterable<Buffer>) {
    const end = piece.lastIndexOf(0x0a) + 1;
    if (end === 0) pending.push(piece);
    else {
      pending.push(piece.subarray(0, end));
      flush();
      pending = [piece.subarray(end)];
    }
  }
  if (parts.length === 0 || pending.some(({ length }) => length > 0)) flush();
  return { parts, largest };
}
