import type { z } from "zod";
import { UserError } from "../../base/errors.js";
import { checkedAs, parseJson } from "../../base/json.js";
import { readLines, readText } from "../../base/text.js";

/**
 * Strings, which are left as they are (one without an end goes to the text's own), and what Python writes for numbers
 * that JSON has no word for.
 */
const CONSTANTS = /"(?:[^"\\]|\\[^])*(?:"|\\?$)|-?\bInfinity\b|\bNaN\b/g;

/**
 * Parses JSON as Python's `json` and pydantic write it: NaN and Infinity are null.
 * @param infinities whether they are kept as such in place of null
 * @throws {UserError} naming where it came from
 */
export function parsePythonJson(text: string, where: string, hint: string, infinities = false): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const written = /NaN|Infinity/.test(text)
      ? text.replace(CONSTANTS, (token) => {
          if (token.startsWith('"')) return token;
          if (!infinities || token === "NaN") return "null";
          // A number that no double holds is read as infinite.
          return token.replace("Infinity", "1e999");
        })
      : text;
    return parseJson(written, where, hint);
  }
}

/**
 * A number as Python's `json` or its `str` has written it: also `"-1.5"`, `"-inf"`, `"nan"`.
 * @returns NaN where it is none, or null (a NaN that was read as JSON)
 */
export function pythonNumber(value: unknown): number {
  if (typeof value === "number") return value;
  if (typeof value !== "string") return Number.NaN;
  const [, sign, infinite] = /^\s*([+-]?)(inf|infinity)\s*$/i.exec(value) ?? [];
  if (infinite !== undefined) return sign === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return value.trim() === "" ? Number.NaN : Number(value);
}

/** Reads a JSON file of a tool in Python. @throws {UserError} naming the file and each key that is wrong */
export const readPythonJson = async <T>(
  path: string,
  schema: z.ZodType<T>,
  { hint, most }: { readonly hint: string; readonly most?: number },
): Promise<T> => checkedAs(parsePythonJson(await readText(path, most, true), path, hint), schema, path, hint);

/** Lines of a file at most: fourteen languages under ten filters are some two million. */
const MOST_LINES = 5_000_000;

/**
 * Reads a file of JSON lines of a tool in Python; infinite numbers stay so.
 * @param torn told where a last line is torn, as a tool that was broken off leaves it: it is left out
 * @throws {UserError} naming file and line
 */
export async function* readPythonJsonLines<T>(
  path: string,
  schema: z.ZodType<T>,
  hint: string,
  torn: (where: string) => void,
): AsyncGenerator<T> {
  for await (const { number, text, whole } of readLines(path, undefined, true)) {
    if (text.trim() === "") continue;
    const where = `${path}:${number}`;
    if (number > MOST_LINES) throw new UserError(`${where}: more lines than the ${MOST_LINES} that are read`, { hint });
    let value: unknown;
    try {
      value = parsePythonJson(text, where, hint, true);
    } catch (error) {
      if (!(error instanceof UserError) || whole) throw error;
      torn(where);
      return;
    }
    yield checkedAs(value, schema, where, hint);
  }
}
