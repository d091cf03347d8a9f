import type { z } from "zod";
import { messageOf, UserError } from "./errors.js";
import { writePiecesWhole } from "./files.js";
import { printableName } from "./printable.js";
import { inWords } from "./schema-words.js";
import { readText } from "./text.js";

export interface ReadJsonOptions {
  /** What to do about a file that is not as it should be, in a sentence. */
  readonly hint?: string;
  /** Bytes that the file may have at most; {@link readText}'s unless given. */
  readonly most?: number;
}

/**
 * Reads a JSON file and checks it against a schema: the door for every JSON file that comes from outside or is read
 * back. A byte order mark is passed over.
 * @throws {UserError} naming the file and each key that is wrong, where it is missing, too large, no JSON, or not what
 * the schema says
 */
export async function readJsonAs<T>(path: string, schema: z.ZodType<T>, options: ReadJsonOptions = {}): Promise<T> {
  return checkedAs(parseJson(await readText(path, options.most), path, options.hint), schema, path, options.hint);
}

/** What to do about a file of which nothing else is known. */
const ANEW = "Mend it, or copy or download it again.";

/** Parses JSON. @throws {UserError} naming where it came from */
export function parseJson(text: string, where: string, hint = ANEW): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`${where} is not JSON: ${printableName(messageOf(error))}`, { hint, cause: error });
  }
}

/** What a text is as JSON; undefined where it is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Checks a value from outside. @throws {UserError} naming where it came from and each key that is wrong */
export function checkedAs<T>(value: unknown, schema: z.ZodType<T>, where: string, hint = ANEW): T {
  const result = schema.safeParse(value, { error: inWords });
  if (result.success) return result.data;
  throw new UserError(`${where}: ${faultsOf(result.error)}`, { hint });
}

/** Faults told at most: a file may have millions. */
const FAULTS = 8;

/** What a schema found wrong: `key: what`, the first few. */
export function faultsOf({ issues }: z.ZodError): string {
  const told = issues
    .slice(0, FAULTS)
    .map(({ path, message }) =>
      printableName(`${path.length ? `${path.map(String).join(".")}: ` : ""}${message}`, 300),
    );
  return [...told, ...(issues.length > FAULTS ? [`and ${issues.length - FAULTS} more`] : [])].join("; ");
}

/** A list whose values are made one at a time while it is written, however many they are. */
export class LazyList {
  constructor(readonly values: Iterable<unknown>) {}
}

/**
 * The text of `JSON.stringify(value, null, indent)` in pieces: a whole of any size never stands in one string. A
 * {@link LazyList} is a list.
 * @param indent blanks a level; 0 for none and no line breaks
 */
export function* jsonPieces(value: unknown, indent = 0, before = ""): Generator<string> {
  const plain = toJson(value);
  const lazy = plain instanceof LazyList;
  if (plain === null || typeof plain !== "object" || (!lazy && isSmall(plain))) {
    const text = JSON.stringify(plain, null, indent) ?? "null";
    yield before === "" ? text : text.replaceAll("\n", `\n${before}`);
    return;
  }
  const inner = before + " ".repeat(indent);
  const line = indent > 0 ? `\n${inner}` : "";
  const list = lazy || Array.isArray(plain);
  let first = true;
  for (const [key, part] of list ? unnamed(lazy ? plain.values : (plain as unknown[])) : Object.entries(plain)) {
    if (!list && isLeftOut(part)) continue;
    yield `${first ? (list ? "[" : "{") : ","}${line}${list ? "" : `${JSON.stringify(key)}:${indent > 0 ? " " : ""}`}`;
    first = false;
    yield* jsonPieces(isLeftOut(part) ? null : part, indent, inner);
  }
  if (first) yield list ? "[]" : "{}";
  else yield `${indent > 0 ? `\n${before}` : ""}${list ? "]" : "}"}`;
}

function* unnamed(values: Iterable<unknown>): Generator<[undefined, unknown]> {
  for (const value of values) yield [undefined, value];
}

const isLeftOut = (value: unknown): boolean =>
  value === undefined || typeof value === "function" || typeof value === "symbol";

function toJson(value: unknown): unknown {
  const own = (value as { toJSON?: unknown } | null | undefined)?.toJSON;
  return typeof own === "function" ? own.call(value, "") : value;
}

/** Whether all of a list's or an object's values are short enough to be written at once. */
function isSmall(value: object): boolean {
  const parts = Object.values(value) as unknown[];
  return (
    parts.length <= 100 &&
    parts.every((part) => (typeof part === "string" ? part.length < 10_000 : part === null || typeof part !== "object"))
  );
}

/** Writes a value as JSON with an indent of 2 and a line feed at its end; whole or not at all, of any size. */
export function writeJsonWhole(path: string, value: unknown): void {
  writePiecesWhole(
    path,
    (function* () {
      yield* jsonPieces(value, 2);
      yield "\n";
    })(),
  );
}
