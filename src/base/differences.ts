import { canonicalJson } from "./canonical.js";

/** A place at which two values differ: its keys joined by dots. */
export interface Difference {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * Where two values of JSON differ, key by key; arrays are compared as a whole, and a key that is missing is undefined.
 */
export function differences(before: unknown, after: unknown, path = ""): Difference[] {
  if (before === after || canonicalJson(before) === canonicalJson(after)) return [];
  if (!isPlain(before) || !isPlain(after)) return [{ path, before, after }];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
    differences(before[key], after[key], path ? `${path}.${key}` : key),
  );
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === "object" && !Array.isArray(value);
