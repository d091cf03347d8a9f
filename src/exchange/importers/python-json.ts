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
 * @throws {UserError} naming where it came from
 */
export function parsePythonJson(text: string, where: string, hint: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const written = /NaN|Infinity/.test(text)
      ? text.replace(CONSTANTS, (token) => (token.startsWith('"') ? token : "null"))
      : text;
    return parseJson(written, where, hint);
  }
}

/** Reads a JSON file of a tool in Python. @throws {UserError} naming the file and each key that is wrong */
export const readPythonJson = async <T>(
  path: string,
  schema: z.ZodType<T>,
  { hint, most }: { readonly hint: string; readonly most?: number },
): Promise<T> => checkedAs(parsePythonJson(await readText(path, most), path, hint), schema, path, hint);

/** Reads a file of JSON lines of a tool in Python. @throws {UserError} naming file and line */
export async function* readPythonJsonLines<T>(path: string, schema: z.ZodType<T>, hint: string): AsyncGenerator<T> {
  for await (const { number, text, whole } of readLines(path)) {
    if (text.trim() === "") continue;
    const where = `${path}:${number}`;
    let value: unknown;
    try {
      value = parsePythonJson(text, where, hint);
    } catch (error) {
      // A tool that was broken off leaves a torn last line.
      if (error instanceof UserError && !whole) return;
      throw error;
    }
    yield checkedAs(value, schema, where, hint);
  }
}
