import type { z } from "zod";

/**
 * What a schema says of a value that it does not take, for whoever wrote the value: given to `safeParse` as `error`.
 * A schema's own message goes before it; where it has no word, zod's stands.
 */
export const inWords: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case "invalid_type": {
      const kind = KINDS[issue.expected] ?? issue.expected;
      return issue.input === undefined ? `missing; expected ${kind}` : `expected ${kind}, not ${shown(issue.input)}`;
    }
    case "invalid_value": {
      const among = issue.values.length > 1 ? "one of " : "";
      return `expected ${among}${issue.values.map(String).join(", ")}, not ${shown(issue.input)}`;
    }
    case "too_small":
      return `expected ${issue.inclusive === false ? "more than" : "at least"} ${amount(issue.origin, issue.minimum)}`;
    case "too_big":
      return `expected ${issue.inclusive === false ? "less than" : "at most"} ${amount(issue.origin, issue.maximum)}`;
    default:
      return undefined;
  }
};

const KINDS: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object with keys",
  record: "an object with keys",
};

const UNITS: Readonly<Record<string, string>> = { string: "character", array: "entry" };

function amount(origin: string, count: number | bigint): string {
  const unit = UNITS[origin];
  if (unit === undefined) return String(count);
  return `${count} ${Number(count) === 1 ? unit : unit.replace(/y?$/, (end) => (end ? "ies" : "s"))}`;
}

/** A value as an error names it: as it was written where that is short, else its kind. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length <= 60 ? text : `a ${typeof value === "string" ? "text" : "value"} of ${text.length} characters`;
}
