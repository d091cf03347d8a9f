import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";

let connection: Promise<DuckDBConnection> | undefined;

/** The process's one connection to a database in memory; the library is loaded where it is first asked for. */
export const duckdb = (): Promise<DuckDBConnection> => (connection ??= connect());

async function connect(): Promise<DuckDBConnection> {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  // Each thread has buffers of its own, of tens of MiB.
  return (await DuckDBInstance.create(":memory:", { threads: "1" })).connect();
}

/** A text as SQL quotes it. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A column's name as SQL quotes it. */
export const named = (column: string): string => `"${column.replaceAll('"', '""')}"`;

/**
 * A file as DuckDB is to be told of it, quoted; undefined where it would read another. DuckDB takes a path as a pattern
 * (`*`, `?`, `[`) and gives a meaning to how it begins (`~`, `s3:`): so the path is whole, its signs are escaped, and
 * DuckDB is asked which file that is.
 */
export async function duckdbFile(path: string): Promise<string | undefined> {
  const whole = resolve(path);
  const pattern = quoted(whole.replace(/[[*?]/g, (sign) => `[${sign}]`));
  try {
    const found = await (await duckdb()).runAndReadAll(`select file from glob(${pattern})`);
    const [files] = found.getColumns();
    return files?.length === 1 && files[0] === whole ? pattern : undefined;
  } catch {
    return undefined;
  }
}

/** Calls with a file as DuckDB is to be told of it: by a link of a plain name where its own name cannot be told. */
export async function withDuckdbFile<T>(path: string, use: (file: string) => Promise<T>): Promise<T> {
  const file = await duckdbFile(path);
  if (file !== undefined) return use(file);
  const folder = mkdtempSync(join(tmpdir(), "mmmlu-lab-file-"));
  try {
    const link = join(folder, "file");
    symlinkSync(resolve(path), link);
    return await use(quoted(link));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
