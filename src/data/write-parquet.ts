import type { ColumnSource } from "hyparquet-writer";
import { writeWholeWith } from "../base/files.js";
import { collectGarbageAbove } from "../base/garbage.js";

/** The types that a column may have; each value may be null. */
export type ParquetType = "STRING" | "BOOLEAN" | "INT32" | "DOUBLE" | "DOUBLE[]";

/** What is gathered before it is written as a row group: so many rows, or texts of so many characters. */
const ROW_GROUP = { rows: 4096, characters: 1 << 20 };

/** Bytes of old groups that may wait for V8 to take them back. */
const MOST_GARBAGE = 8 << 20;

/**
 * Writes rows as Parquet (Snappy), whole or not at all. It holds some tens of MiB of rows at most, and loads no native
 * library: DuckDB, which would do the same, takes 40 MiB to be loaded and 30 more for its buffers.
 * @param columns the type of each; keys of a row that are not named are left out, missing ones are null
 * @param fill calls `add` with each row in turn
 * @throws {UserError} where it cannot be written; what `fill` throws passes through
 */
export async function writeParquet(
  path: string,
  columns: Readonly<Record<string, ParquetType>>,
  fill: (add: (row: object) => void) => void,
): Promise<void> {
  const { ByteWriter, ParquetWriter } = await import("hyparquet-writer");
  const names = Object.entries(columns);
  writeWholeWith(path, (write) => {
    const writer = new ByteWriter();
    const flush = (): void => {
      write(writer.getBytes());
      writer.index = 0;
    };
    const sink = Object.assign(writer, { flush, finish: flush });
    const parquet = new ParquetWriter({ writer: sink, schema: schemaOf(names) });
    const writeGroup = (group: readonly Readonly<Record<string, unknown>>[]): void => {
      const columnData: ColumnSource[] = names.map(([name]) => ({ name, data: group.map((row) => row[name] ?? null) }));
      parquet.write({ columnData, rowGroupSize: Math.max(1, group.length) });
    };
    let group: Readonly<Record<string, unknown>>[] = [];
    let characters = 0;
    let written = false;
    fill((given) => {
      const row = given as Readonly<Record<string, unknown>>;
      group.push(row);
      for (const [name] of names) {
        const value = row[name];
        if (typeof value === "string") characters += value.length;
      }
      if (group.length < ROW_GROUP.rows && characters < ROW_GROUP.characters) return;
      writeGroup(group);
      written = true;
      [group, characters] = [[], 0];
      collectGarbageAbove(MOST_GARBAGE);
    });
    if (group.length > 0 || !written) writeGroup(group);
    parquet.finish();
  });
}

type Schema = ConstructorParameters<typeof import("hyparquet-writer")["ParquetWriter"]>[0]["schema"];

/** The columns as Parquet describes them: a list is three elements, one in the other. */
function schemaOf(columns: readonly (readonly [string, ParquetType])[]): Schema {
  const schema: Schema = [{ name: "root", num_children: columns.length }];
  for (const [name, type] of columns) {
    if (type === "DOUBLE[]")
      schema.push(
        { name, repetition_type: "OPTIONAL", converted_type: "LIST", num_children: 1 },
        { name: "list", repetition_type: "REPEATED", num_children: 1 },
        { name: "element", repetition_type: "OPTIONAL", type: "DOUBLE" },
      );
    else if (type === "STRING")
      schema.push({ name, repetition_type: "OPTIONAL", type: "BYTE_ARRAY", converted_type: "UTF8" });
    else schema.push({ name, repetition_type: "OPTIONAL", type });
  }
  return schema;
}
