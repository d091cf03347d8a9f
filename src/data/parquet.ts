import type { DuckDBConnection } from "@duckdb/node-api";
import { messageOf, UserError } from "../base/errors.js";
import { printableName } from "../base/printable.js";
import { duckdb, named, withDuckdbFile } from "./duckdb.js";
import { type Cell, requireColumns, type Table } from "./table.js";

/** Rows of a file, and bytes of text in them, at most: far more than any set of questions has. */
const [MOST_ROWS, MOST_BYTES] = [10_000_000, 2e9];

const PLAIN =
  /^(VARCHAR|BOOLEAN|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL\(.*\)|ENUM\(.*\)|UUID|DATE)(\[\])?$/;

/**
 * Reads columns of a Parquet file, numbers as text.
 * @param wanted the columns that must be there, and are read; undefined for all that hold texts, numbers or lists of
 * them
 * @throws {UserError} naming the file and the column: one is missing, or holds neither text nor numbers; the file is
 * broken or too large
 */
export const readParquet = (path: string, wanted?: readonly string[]): Promise<Table> =>
  withDuckdbFile(path, async (file) => {
    const database = await duckdb();
    const from = `read_parquet(${file}, hive_partitioning = false)`;
    const types = await typesOf(path, database, from);
    if (wanted) requireColumns(path, [...types.keys()], wanted);
    const names = wanted ? [...new Set(wanted)] : [...types.keys()].filter((name) => PLAIN.test(types.get(name)!));
    if (names.length === 0) {
      const told = [...types].slice(0, 8).map(([name, type]) => `"${printableName(name, 60)}" ${type.slice(0, 60)}`);
      throw new UserError(`${path}: no column holds text or numbers: ${told.join(", ")}`, {
        hint: "Write texts as strings: a BLOB is bytes that are not said to be UTF-8.",
      });
    }
    for (const name of names)
      if (!PLAIN.test(types.get(name)!))
        throw new UserError(`${path}: the column "${name}" holds ${types.get(name)}, neither text nor numbers`, {
          hint: "Write it as text, or name another column (data.columns).",
        });
    try {
      await checkSize(path, database, from, names);
      const read = names.map((name) =>
        /^VARCHAR/.test(types.get(name)!)
          ? named(name)
          : `${named(name)}::VARCHAR${types.get(name)!.endsWith("[]") ? "[]" : ""}`,
      );
      const columns = (await database.runAndReadAll(`select ${read.join(", ")} from ${from}`)).getColumns();
      const length = columns[0]?.length ?? 0;
      if (length === 0) throw new UserError(`${path}: there is no row`, { hint: "Fetch or write the file again." });
      return {
        path,
        length,
        columns: new Map(names.map((name, index) => [name, columns[index]!.map(cellOf)])),
        place: (row) => `${path}: row ${row + 1}`,
      };
    } catch (error) {
      throw broken(path, error);
    }
  });

async function typesOf(path: string, database: DuckDBConnection, from: string): Promise<Map<string, string>> {
  try {
    const [names, types] = (await database.runAndReadAll(`describe select * from ${from}`)).getColumns();
    return new Map((names as string[]).map((name, index) => [name, types![index] as string]));
  } catch (error) {
    throw broken(path, error);
  }
}

async function checkSize(
  path: string,
  database: DuckDBConnection,
  from: string,
  names: readonly string[],
): Promise<void> {
  const bytes = names.map((name) => `coalesce(sum(strlen(${named(name)}::VARCHAR)), 0)`).join(" + ");
  const [row] = (await database.runAndReadAll(`select count(*), ${bytes} from ${from}`)).getRows();
  const [rows, text] = (row ?? []).map(Number) as [number, number];
  if (rows > MOST_ROWS || text > MOST_BYTES)
    throw new UserError(`${path} has ${rows.toLocaleString("en")} rows of ${(text / 1e6).toFixed(0)} MB of text`, {
      hint: `At most ${MOST_ROWS.toLocaleString("en")} rows and ${MOST_BYTES / 1e6} MB are read. Is it the right file?`,
    });
}

/** DuckDB's values of text columns, and its lists, as cells. */
function cellOf(value: unknown): Cell {
  const items = (value as { items?: readonly unknown[] } | null)?.items;
  return items ? (items as (string | null)[]) : (value as string | null);
}

const broken = (path: string, error: unknown): UserError =>
  error instanceof UserError
    ? error
    : new UserError(`${path} cannot be read as Parquet: ${messageOf(error).split("\n")[0]}`, {
        hint: "Fetch or write the file again.",
        cause: error,
      });
