import { randomBytes } from "node:crypto";
import { renameSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { messageOf, UserError } from "../base/errors.js";
import { hintForSystemError } from "../base/files.js";
import { duckdb, named, quoted, withDuckdbFile } from "./duckdb.js";

/**
 * Writes a file of JSON lines as Parquet (Zstandard), whole or not at all; DuckDB reads it line by line.
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
  try {
    const connection = await duckdb();
    await withDuckdbFile(jsonLines, (file) =>
      connection.run(
        `copy (select ${list} from read_json(${file}, format = 'newline_delimited', columns = {${types.join(", ")}}, ` +
          `maximum_object_size = 134217728)) to ${quoted(temporary)} (format parquet, compression zstd)`,
      ),
    );
    renameSync(temporary, parquet);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new UserError(`cannot write ${parquet}: ${messageOf(error)}`, {
      hint: hintForSystemError(error) ?? "Free some space, or choose another folder with --out.",
      cause: error,
    });
  }
}
