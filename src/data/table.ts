import { UserError } from "../base/errors.js";
import { printableName } from "../base/printable.js";

/** What a file holds of a row in a column: text as it stands; null or a list where its format has such. */
export type Cell = string | null | readonly (string | null)[];

/** A file's rows by column. */
export interface Table {
  readonly path: string;
  readonly length: number;
  /** Each of `length` cells. */
  readonly columns: ReadonlyMap<string, readonly Cell[]>;
  /** Of a CSV file, the byte that separates cells. */
  readonly separator?: number;
  /** Where a row (from 0) is, as errors begin: `FILE:LINE`, or `FILE: row N` where there are no lines. */
  readonly place: (row: number) => string;
  /** Where a row's bytes are, in formats whose rows can be read alone. */
  readonly bytesOf?: (row: number) => { readonly offset: number; readonly length: number };
}

/** @throws {UserError} naming those of the wanted columns that a file has not, and those that it has */
export function requireColumns(place: string, names: readonly string[], wanted: readonly string[]): void {
  const missing = wanted.filter((column) => !names.includes(column));
  if (missing.length === 0) return;
  throw new UserError(`${place}: the column ${missing.map((name) => `"${name}"`).join(", ")} is missing`, {
    hint: `There are: ${printableName(names.join(", "), 500)}. Wanted are: ${printableName(wanted.join(", "), 500)}.`,
  });
}
