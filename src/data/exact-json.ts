import type { Cell } from "./table.js";

/**
 * Parses JSON with its numbers as the texts that stand there: 9007199254740993 has more digits than a number of
 * JavaScript's keeps, and 1.50 is an option of its own beside 1.5.
 * @throws {SyntaxError} where it is no JSON
 */
export function parseExactly(json: string): unknown {
  const value: unknown = JSON.parse(json);
  let texts = "";
  let done = 0;
  for (let at = 0; at < json.length; at++) {
    const character = json.charAt(at);
    if (character === '"') at = closingQuote(json, at);
    else if (/[-\d]/.test(character)) {
      const start = at;
      while (/[-+.\deE]/.test(json.charAt(at + 1))) at++;
      texts += `${json.slice(done, start)}"${json.slice(start, at + 1)}"`;
      done = at + 1;
    }
  }
  return done === 0 ? value : JSON.parse(texts + json.slice(done));
}

/** Where a string of sound JSON ends. */
function closingQuote(json: string, opening: number): number {
  let at = opening + 1;
  for (; at < json.length && json.charAt(at) !== '"'; at++) if (json.charAt(at) === "\\") at++;
  return at;
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
