import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { duckdb } from "./duckdb.js";
import { readParquet } from "./parquet.js";

const folder = mkdtempSync(join(tmpdir(), "parquet-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("a Parquet file without any text is refused by what its columns hold", async () => {
  const path = join(folder, "bytes.parquet");
  await (await duckdb()).run(`copy (select 'a'::BLOB as Question, {'x': 1} as Answer) to '${path}' (format parquet)`);
  await expect(readParquet(path)).rejects.toThrow(/no column holds text or numbers: "Question" BLOB, "Answer" STRUCT/);
});
