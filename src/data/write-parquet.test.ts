import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeParquet } from "./index.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "write-parquet-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const COLUMNS = { id: "STRING", cut: "BOOLEAN", order: "INT32", logit: "DOUBLE", list: "DOUBLE[]" } as const;

const write = (path: string, rows: Iterable<object>): Promise<void> =>
  writeParquet(path, COLUMNS, (add) => {
    for (const row of rows) add(row);
  });

/** What DuckDB reads of the file, a row each as JSON has it. */
async function read(path: string): Promise<{ rows: unknown[]; types: string[]; groups: number }> {
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  try {
    const result = await connection.runAndReadAll(`select * from read_parquet('${path}')`);
    const groups = await connection.runAndReadAll(
      `select count(distinct row_group_id) from parquet_metadata('${path}')`,
    );
    return {
      rows: result.getRowsJson(),
      types: result.columnTypes().map(String),
      groups: Number(groups.getRows()[0]![0]),
    };
  } finally {
    connection.closeSync();
  }
}

describe("rows written as Parquet", () => {
  it("are read by DuckDB with their types, nulls, lists and texts of every script", async () => {
    const path = join(folder, "all.parquet");
    const rows = [
      {
        id: "日本語 \u0000 🙂 'quoted'",
        cut: true,
        order: -7,
        logit: 0.1,
        list: [-1.5, Number.NEGATIVE_INFINITY],
        more: 1,
      },
      { id: "", cut: false, order: 2_147_483_647, logit: Number.NaN, list: [] },
      {},
      { id: null, list: [null, 5e-324] },
    ];
    await write(path, rows);
    const { rows: got, types } = await read(path);
    expect(types).toEqual(["VARCHAR", "BOOLEAN", "INTEGER", "DOUBLE", "DOUBLE[]"]);
    expect(got).toEqual([
      ["日本語 \u0000 🙂 'quoted'", true, -7, 0.1, [-1.5, "-Infinity"]],
      ["", false, 2_147_483_647, "NaN", []],
      [null, null, null, null, null],
      [null, null, null, null, [null, 5e-324]],
    ]);
  });

  it("may be none", async () => {
    const path = join(folder, "none.parquet");
    await write(path, []);
    const { rows, types } = await read(path);
    expect(rows).toEqual([]);
    expect(types).toHaveLength(5);
  });

  it("are taken from a generator in groups, by their number and by the length of their texts", async () => {
    const numbers = function* (count: number, text: string) {
      for (let order = 0; order < count; order++) yield { id: `${text}${order}`, order, list: [order, order / 2] };
    };
    const [many, long] = [join(folder, "many.parquet"), join(folder, "long.parquet")];
    await write(many, numbers(50_000, "n"));
    await write(long, numbers(100, "x".repeat(30_000)));
    const first = await read(many);
    expect(first.groups).toBe(13);
    expect(first.rows).toHaveLength(50_000);
    expect(first.rows.every((row, at) => JSON.stringify(row) === expected(`n${at}`, at))).toBe(true);
    const second = await read(long);
    expect(second.groups).toBe(3);
    expect((second.rows[99] as string[])[0]).toBe(`${"x".repeat(30_000)}99`);
  });

  const expected = (id: string, order: number): string => JSON.stringify([id, null, order, null, [order, order / 2]]);

  it("are not there at all where they end with an error", async () => {
    const failing = function* () {
      yield { id: "a" };
      throw new Error("no more");
    };
    await expect(write(join(folder, "failed.parquet"), failing())).rejects.toThrow("no more");
    expect(readdirSync(folder).filter((name) => name.startsWith("failed"))).toEqual([]);
  });
});
