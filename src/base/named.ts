/**
 * An empty object for values by names from outside: a plain one has `constructor` and `toString` already, and drops
 * `__proto__`.
 */
export const byNames = <T>(): Record<string, T> => Object.create(null) as Record<string, T>;

/** The value under a name from outside, of an object's own; undefined where it has none. */
export const ownValue = <T>(values: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(values, name) ? values[name] : undefined;
