import type { Cell } from "./table.js";

/** A string of JSON, or a number. */
const STRING_OR_NUMBER = /"(?:[^"\\]+|\\.)*"|-?\d[\d.eE+-]*/g;

/**
 * Parses JSON with its numbers as the texts that stand there: 9007199254740993 has more digits than a number of
 * JavaScript's keeps, and 1.50 is an option of its own beside 1.5.
 * @throws {SyntaxError} where it is no JSON
 */
export function parseExactly(json: string): unknown {
  const value: unknown = JSON.parse(json);
  const texts = json.replace(STRING_OR_NUMBER, (found) => (found.startsWith('"') ? found : `"${found}"`));
  return texts.length === json.length ? value : JSON.parse(texts);
}

/** A cell's list of texts, which a CSV file has as JSON; undefined where it holds no such list. */
export function listIn(cell: Cell): readonly (string | null)[] | undefined {
  if (typeof cell !== "string") return cell ?? undefined;
  try {
    const list = parseExactly(cell);
    if (!Array.isArray(list) || list.some((one) => typeof one === "object" && one !== null)) return undefined;
    return list.map((one) => (one === null ? null : String(one)));
  } catch {
    return undefined;
  }
}
