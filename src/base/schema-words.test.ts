import { expect, it } from "vitest";
import { z } from "zod";
import { faultsOf } from "./json.js";
import { inWords } from "./schema-words.js";

const schema = z.object({
  count: z.number().int().positive().max(9),
  share: z.number().lt(1),
  kind: z.enum(["a", "b"]),
  one: z.literal("x"),
  names: z.array(z.string().min(1)).min(2),
  on: z.boolean(),
  own: z.number({ error: "its own word" }),
});
const GOOD = { count: 1, share: 0, kind: "a", one: "x", names: ["p", "q"], on: true, own: 1 };

it.each([
  [{ count: "x" }, 'count: expected a number, not "x"'],
  [{ count: undefined }, "count: missing; expected a number"],
  [{ count: 1.5 }, "count: expected a whole number, not 1.5"],
  [{ count: 0 }, "count: expected more than 0"],
  [{ count: 10 }, "count: expected at most 9"],
  [{ share: 1 }, "share: expected less than 1"],
  [{ kind: "c" }, 'kind: expected one of a, b, not "c"'],
  [{ one: null }, "one: expected x, not null"],
  [{ names: ["p"] }, "names: expected at least 2 entries"],
  [{ names: ["p", ""] }, "names.1: expected at least 1 character"],
  [{ names: {} }, "names: expected a list, not an object"],
  [{ on: "y".repeat(99) }, "on: expected true or false, not a text of 101 characters"],
  [{ own: "x" }, "own: its own word"],
])("%j is refused in words", (wrong, words) => {
  const { error } = schema.safeParse({ ...GOOD, ...wrong }, { error: inWords });
  expect(faultsOf(error!)).toBe(words);
});
