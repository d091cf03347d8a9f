import { z } from "zod";
import { messageOf, UserError } from "../base/errors.js";
import { faultsOf } from "../base/json.js";
import { inWords } from "../base/schema-words.js";
import { readLines } from "../base/text.js";
import { parseExactly } from "./exact-json.js";
import { type Cell, requireColumns, type Table } from "./table.js";

const scalar = z.union([z.string(), z.boolean(), z.null()]);
const recordSchema = z.record(z.string().max(1000), z.unknown());
const cellSchema = z.union([scalar, z.array(scalar).max(100)]);

const textOf = (value: z.infer<typeof scalar>): string | null => (value === null ? null : String(value));

/**
 * Reads a file of one JSON object a line. Numbers are texts as they stand there; a key that a line has not is null.
 * @param wanted the keys that some line must have, and that are read; undefined for all that hold texts, numbers or
 * lists of them
 * @throws {UserError} with file and line: no JSON object, a wanted key that holds something else; or there is no line
 */
export async function readJsonRows(path: string, wanted?: readonly string[]): Promise<Table> {
  const columns = new Map<string, Cell[]>();
  const lines: number[] = [];
  for await (const { number, text } of readLines(path)) {
    if (text.trim() === "") continue;
    const row = lines.push(number) - 1;
    for (const [key, value] of Object.entries(recordOf(`${path}:${number}`, text))) {
      if (wanted && !wanted.includes(key)) continue;
      const cell = cellSchema.safeParse(value);
      if (!cell.success) {
        if (wanted)
          throw new UserError(`${path}:${number}: ${key}: neither text nor a list of texts`, {
            hint: "Mend the line: options are a list of texts, or a key each.",
          });
        continue;
      }
      const column = columns.get(key) ?? [];
      columns.set(key, column);
      while (column.length < row) column.push(null);
      column[row] = Array.isArray(cell.data) ? cell.data.map(textOf) : textOf(cell.data);
    }
  }
  if (lines.length === 0) throw new UserError(`${path}: there is no row`, { hint: "Fetch or write the file again." });
  if (wanted) requireColumns(path, [...columns.keys()], wanted);
  for (const column of columns.values()) while (column.length < lines.length) column.push(null);
  return { path, length: lines.length, columns, place: (row) => `${path}:${lines[row]}` };
}

function recordOf(place: string, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseExactly(text);
  } catch (error) {
    throw new UserError(`${place}: not JSON: ${messageOf(error).replaceAll(/\s+/g, " ")}`, {
      hint: "A .jsonl file has a JSON object on each line.",
    });
  }
  const record = recordSchema.safeParse(value, { error: inWords });
  if (!record.success)
    throw new UserError(`${place}: not a JSON object: ${faultsOf(record.error)}`, {
      hint: "A .jsonl file has a JSON object on each line.",
    });
  return record.data;
}
