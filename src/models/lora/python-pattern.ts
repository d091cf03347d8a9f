import { createContext, Script } from "node:vm";
import { messageOf, UserError } from "../../base/errors.js";

/** Characters that mean something in a JavaScript expression and may be escaped in one. */
const SYNTAX = /[\\^$.*+?()[\]{}|/-]/;
/** Escapes that mean the same in both languages, for the names of layers, which are ASCII. */
const SHARED_ESCAPES = /[dDwWsSbBnrtfv0-9xu]/;

/**
 * A regular expression of Python's `re` in JavaScript's syntax.
 * @throws {Error} where it has something that JavaScript has not, or reads otherwise
 */
function translated(pattern: string): { source: string; flags: string } {
  let flags = "u";
  let source = "";
  let rest = pattern.replace(/^\(\?([a-zA-Z]+)\)/, (_all, letters: string) => {
    if (letters !== "i") throw new Error(`the flags (?${letters})`);
    flags += "i";
    return "";
  });
  const take = (length: number): string => {
    const taken = rest.slice(0, length);
    rest = rest.slice(length);
    return taken;
  };
  let inClass = false;
  while (rest !== "") {
    if (rest[0] === "\\") {
      const [, escaped = ""] = take(2);
      if (SHARED_ESCAPES.test(escaped)) source += `\\${escaped}`;
      else if (escaped === "A" && !inClass) source += "^";
      else if (escaped === "Z" && !inClass) source += "$";
      else if (escaped === "" || /[a-zA-Z]/.test(escaped)) throw new Error(`\\${escaped}`);
      else source += SYNTAX.test(escaped) && (escaped !== "-" || inClass) ? `\\${escaped}` : escaped;
    } else if (inClass) {
      inClass = rest[0] !== "]";
      source += rest[0] === "[" ? `\\${take(1)}` : take(1);
    } else if (rest[0] === "[") {
      // A bracket that comes first stands for itself in Python, and would end the class here.
      const [begin, caret, bracket] = /^\[(\^?)(\]?)/.exec(rest)!;
      take(begin.length);
      source += `[${caret}${bracket ? "\\]" : ""}`;
      inClass = true;
    } else if (rest.startsWith("(?")) {
      const [begin, name, back] = /^\(\?(?:P<(\w+)>|P=(\w+)\)|:|=|!|<=|<!)/.exec(rest) ?? [];
      if (begin === undefined) throw new Error(rest.slice(0, 4));
      take(begin.length);
      source += name ? `(?<${name}>` : back ? `\\k<${back}>` : begin;
    } else source += take(1);
  }
  return { source, flags };
}

const context = createContext({ ask: undefined as unknown });
const script = new Script(
  `{
    const expression = new RegExp(ask.source, ask.flags);
    ask.names.map((name) => {
      const found = expression.exec(name);
      return found && (found.groups?.idx ?? "");
    });
  }`,
);

/**
 * Milliseconds that an expression may take over all names: an adapter's file must not keep the machine busy for ever.
 */
const PATIENCE = 2000;

/**
 * What an expression of Python's `re` finds at the beginning of each name (`re.match`): its group named `idx`, "" where
 * there is none, null where it does not match.
 * @param around puts the expression into a larger one, of JavaScript's syntax: `(p) => \`(?:${p})$\`` makes it
 * `re.fullmatch`
 * @throws {UserError} where it cannot be read, or takes too long
 */
export function matches(
  pattern: string,
  names: readonly string[],
  around: (source: string) => string,
): (string | null)[] {
  try {
    const { source, flags } = translated(pattern);
    Object.assign(context, { ask: { source: `^${around(source)}`, flags, names } });
    return [...(script.runInContext(context, { timeout: PATIENCE }) as (string | null)[])];
  } catch (error) {
    const why =
      (error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT"
        ? "takes too long to match"
        : `cannot be read: ${messageOf(error)}`;
    throw new UserError(`the regular expression ${JSON.stringify(pattern)} ${why}`, {
      hint: "List the layers' names instead.",
      cause: error,
    });
  }
}

/** `re.fullmatch` for each name. */
export const matchesWhole = (pattern: string, names: readonly string[]): boolean[] =>
  matches(pattern, names, (source) => `(?:${source})$`).map((found) => found !== null);
