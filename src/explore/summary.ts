/** What pandas' `describe` says of numbers: std with n−1, quartiles by linear interpolation. */
export interface Summary {
  readonly count: number;
  readonly mean: number;
  readonly std: number;
  readonly min: number;
  readonly "25%": number;
  readonly "50%": number;
  readonly "75%": number;
  readonly max: number;
}

export function summarize(values: ArrayLike<number>): Summary {
  const sorted = Float64Array.from(values).sort();
  const count = sorted.length;
  const mean = sorted.reduce((a, b) => a + b, 0) / count;
  const squares = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const at = (share: number): number => {
    const place = share * (count - 1);
    const low = Math.floor(place);
    return (
      (sorted[low] as number) +
      (place - low) * ((sorted[Math.min(low + 1, count - 1)] as number) - (sorted[low] as number))
    );
  };
  return {
    count,
    mean,
    std: Math.sqrt(squares / (count - 1)),
    min: at(0),
    "25%": at(0.25),
    "50%": at(0.5),
    "75%": at(0.75),
    max: at(1),
  };
}

/**
 * Lengths in 100 bins; where a few very long texts press all others to the left edge, a close-up of the shorter ones
 * too.
 */
export interface LengthHistogram {
  readonly name: string;
  readonly edges: readonly number[];
  readonly counts: readonly number[];
  /** Lengths beyond the last bin; 0 where the bins reach to the longest. */
  readonly beyond: number;
  /** Bounds in tokens that a figure draws. */
  readonly rules: readonly number[];
  readonly closeUp?: { readonly edges: readonly number[]; readonly counts: readonly number[] };
}

/** Where a close-up ends: twice the longer of the two rules that the experiments know, 256 and 512 tokens. */
const CLOSE_UP = 1024;

/** The histogram of token lengths. */
export function lengthHistogram(name: string, lengths: ArrayLike<number>): LengthHistogram {
  const whole = histogram(lengths);
  const longest = whole.edges[whole.edges.length - 1] as number;
  const short = Array.from(lengths).filter((length) => length <= CLOSE_UP);
  return {
    name,
    ...whole,
    beyond: 0,
    rules: [256, 512],
    ...(longest > 2 * CLOSE_UP && short.length > 0 ? { closeUp: histogram(short, 64) } : {}),
  };
}

/**
 * The histogram of a whole row's token lengths as the published exploration draws it: 100 bins from 0 to twice the
 * third quartile, but at least to 300 and at most to 1024, with the rule at 256 alone.
 */
export function publishedLengthHistogram(name: string, lengths: ArrayLike<number>): LengthHistogram {
  const end = Math.max(300, Math.min(1024, Math.trunc(2 * summarize(lengths)["75%"])));
  const { edges, counts } = histogram(lengths, 100, [0, end]);
  return { name, edges, counts, beyond: lengths.length - counts.reduce((a, b) => a + b, 0), rules: [256] };
}

/**
 * Counts in bins of equal width between the least and the greatest value, the last bin closed (numpy's `histogram`).
 * @param range from where to where instead; values outside count nowhere
 */
export function histogram(
  values: ArrayLike<number>,
  bins = 100,
  range?: readonly [number, number],
): { edges: number[]; counts: number[] } {
  let [low, high] = range ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < (range ? 0 : values.length); i++) {
    low = Math.min(low, values[i] as number);
    high = Math.max(high, values[i] as number);
  }
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const step = (high - low) / bins;
  const edges = Array.from({ length: bins + 1 }, (_, index) => (index === bins ? high : low + index * step));
  const counts = new Array<number>(bins).fill(0);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value < low || value > high) continue;
    let bin = Math.min(bins - 1, Math.floor(((value - low) / (high - low)) * bins));
    // Rounding may put a value on an edge into the neighbouring bin; the edges decide.
    if (value < (edges[bin] as number)) bin--;
    else if (bin < bins - 1 && value >= (edges[bin + 1] as number)) bin++;
    counts[bin] = (counts[bin] as number) + 1;
  }
  return { edges, counts };
}
