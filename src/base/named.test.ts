import { describe, expect, it } from "vitest";
import { byNames, ownValue } from "./named.js";

/** What every plain object has, or does not take. */
const NAMES = ["constructor", "__proto__", "toString", "hasOwnProperty"];

describe("values by names from outside", () => {
  it.each(NAMES)("are those that were given: %s", (name) => {
    const values = byNames<number>();
    expect([values[name], ownValue({}, name)]).toEqual([undefined, undefined]);
    values[name] = (values[name] ?? 0) + 1;
    expect(JSON.stringify(values)).toBe(`{"${name}":1}`);
    expect(ownValue(JSON.parse(`{"${name}":1}`) as Record<string, number>, name)).toBe(1);
  });
});
