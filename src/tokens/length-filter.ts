import { byNames } from "../base/named.js";
import type { Row } from "../tasks/index.js";
import { countTokens } from "./fast-count.js";
import type { Tokenizer } from "./tokenizer.js";

export interface LengthFilter {
  readonly maximumTokens: number;
  /** Whether a row of exactly `maximumTokens` stays. */
  readonly inclusive: boolean;
  /** Whether the tokenizer's own special tokens count. */
  readonly specialTokens: boolean;
}

export interface Filtered {
  readonly rows: Row[];
  /** Numbers of tokens of all rows, dropped ones included, in the order they came. */
  readonly counts: Int32Array;
  readonly byLanguage: Readonly<Record<string, { readonly before: number; readonly kept: number }>>;
}

/** Keeps the rows whose text is short enough, in order. */
export async function filterByLength(
  rows: readonly Row[],
  textOf: (row: Row) => string,
  tokenizer: Tokenizer,
  filter: LengthFilter,
  told?: (done: number) => void,
): Promise<Filtered> {
  const texts = rows.map(textOf);
  const counts = filter.specialTokens
    ? await tokenizer.count(texts, true, told)
    : await countTokens(tokenizer, texts, told);
  return filterByCounts(rows, counts, filter);
}

/**
 * Keeps the rows of few enough tokens, in order.
 * @param counts of tokens, one a row
 */
export function filterByCounts(
  rows: readonly Row[],
  counts: Int32Array,
  { maximumTokens, inclusive }: Omit<LengthFilter, "specialTokens">,
): Filtered {
  const byLanguage = byNames<{ before: number; kept: number }>();
  const kept = rows.filter((row, index) => {
    const stays = counts[index]! < maximumTokens || (inclusive && counts[index] === maximumTokens);
    const tally = (byLanguage[row.language] ??= { before: 0, kept: 0 });
    tally.before++;
    if (stays) tally.kept++;
    return stays;
  });
  return { rows: kept, counts, byLanguage };
}
