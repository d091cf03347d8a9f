import { buildError, type Value } from "../builder.js";
import { composed, type Operation } from "../operation.js";
import { add, div, mul } from "../ops/arithmetic.js";
import { cast } from "../ops/cast.js";
import { greaterOrEqual } from "../ops/compare.js";
import { gather } from "../ops/gather.js";
import { range } from "../ops/range.js";
import { reshape } from "../ops/reshape.js";
import { type Dimension, productOf } from "../shape.js";
import { isFloat } from "../types.js";

export interface DropoutOptions {
  /** The share of elements set to zero, in [0, 1); the others are multiplied by 1 / (1 − rate). */
  readonly rate: number;
  /** An int32 without axes, fed at each run: another seed, another mask. */
  readonly seed: Value;
  /** A whole number that tells this place of the model from others with the same seed. */
  readonly site: number;
}

/** What a mask is made of, made outside by `dropoutNumbers` and fed. */
export interface DropoutNumbers {
  readonly rate: number;
  /** int32 [rows, 1], a row being all axes of x but the last. */
  readonly rows: Value;
  /** int32 [1, columns], or [rows, columns] where rows of several seeds stand together. */
  readonly columns: Value;
}

/**
 * x with elements set to zero at random and the others scaled up. The mask follows from seed, site and each element's
 * row and column alone (rows being all axes but the last): it is the same on every device and every time the place is
 * built again, so nothing is kept for the gradient but the seed.
 */
export const dropout: Operation<[x: Value, options: DropoutOptions]> = composed({
  name: "dropout",
  build: dropoutOf,
  cases: ({ positive, named }) => ({
    dropout: {
      samples: { x: named(positive(4, 3, 50), "B"), seed: { shape: [], data: [-77], type: "int32" } },
      build: ({ x, seed }) => dropout(x!, { rate: 0.25, seed: seed!, site: 3 }),
    },
  }),
});

function dropoutOf(x: Value, { rate, seed, site }: DropoutOptions): Value {
  if (!(rate >= 0 && rate < 1)) throw buildError("dropout", [x], `the rate ${rate} is not in [0, 1)`);
  if (!isFloat(x.type)) throw buildError("dropout", [x], "needs a floating type");
  if (seed.type !== "int32" || seed.rank !== 0)
    throw buildError("dropout", [x, seed], "the seed is not an int32 without axes");
  if (!Number.isInteger(site) || site < 0 || site >= 2 ** 31)
    throw buildError("dropout", [x], `the site ${site} is not a whole number below 2^31`);
  if (rate === 0 || x.rank === 0) return x;
  const columns = x.dimension(-1);
  const rows = productOf(x.shape.slice(0, -1));
  return mask(x, rate, oddNumbers(seed, site, 0, rows, [rows, 1]), oddNumbers(seed, site, 1, columns, [1, columns]));
}

/** The same as {@link dropout} from numbers that are fed: eight nodes instead of ninety. */
export const dropoutFrom: Operation<[x: Value, numbers: DropoutNumbers]> = composed({
  name: "dropoutFrom",
  build: dropoutFromOf,
  cases: ({ positive, integers }) => ({
    dropoutFrom: {
      samples: {
        x: positive(2, 6),
        rows: { ...integers(2 ** 31, 2, 1), type: "int32" },
        columns: { ...integers(2 ** 31, 1, 6), type: "int32" },
      },
      build: ({ x, rows, columns }) => dropoutFrom(x!, { rate: 0.3, rows: rows!, columns: columns! }),
    },
  }),
});

function dropoutFromOf(x: Value, { rate, rows, columns }: DropoutNumbers): Value {
  if (!(rate >= 0 && rate < 1)) throw buildError("dropout", [x], `the rate ${rate} is not in [0, 1)`);
  if (!isFloat(x.type)) throw buildError("dropout", [x], "needs a floating type");
  if (rows.type !== "int32" || columns.type !== "int32")
    throw buildError("dropout", [x, rows, columns], "the numbers are not int32");
  return mask(x, rate, rows, columns);
}

function mask(x: Value, rate: number, rows: Value, columns: Value): Value {
  const noise = mul(rows, columns);
  // a cast and a product: Where takes twice their time on the CPU
  const scale = mul(cast(greaterOrEqual(noise, threshold(rate)), x.type), 1 / (1 - rate));
  return mul(x, reshape(scale, x.shape));
}

/** The int32 that a uniform one is below with probability `rate`. */
function threshold(rate: number): number {
  return Math.round(rate * 2 ** 32) - 2 ** 31;
}

/** A site's numbers, of a seed that is told when the graph runs. */
function oddNumbers(seed: Value, site: number, kind: 0 | 1, count: Dimension, shape: readonly Dimension[]): Value {
  return reshape(numbersOf(startOf(seed, siteOffset(site, kind)), range(seed.builder, count, "int32")), shape);
}

/**
 * Odd int32 numbers, uniform and independent for all purposes of a mask. The noise of an element is its row's number
 * times its column's modulo 2³²: along a row the column numbers are independent draws and multiplying by an odd number
 * permutes them, so a row is as random as they are, and likewise a column.
 *
 * Mixing takes x(2x + 1), whose high bits depend on all bits (as in RC6), and swaps the halves so that the next
 * round's do too; shifts and exclusive or are not to be had on WebGPU, wrapping int32 products are.
 * @param start of the site and seed: {@link startOf}
 * @param places the numbers of rows or columns; both broadcast
 */
function numbersOf(start: Value, places: Value): Value {
  let x = add(mul(places, int32(0xc2b2ae35)), start);
  for (const constant of [0x27220a95, 0x7feb352d, 0x846ca68b]) x = add(mix(x), int32(constant));
  return add(mul(x, 2), 1);
}

/** Where a site's numbers start from, of seeds and {@link siteOffset}s that broadcast. */
function startOf(seeds: Value, offset: Value | number): Value {
  return mix(add(mix(add(mul(seeds, int32(0x9e3779b1)), offset)), int32(0x165667b1)));
}

const siteOffset = (site: number, kind: 0 | 1): number => int32(int32(Math.imul(site, 0x85ebca6b)) + kind * 0x27d4eb2f);

export interface SiteNumbers {
  /** int32 [Z, P]: a seed for each of Z runs of a graph and each of P parts of their rows. */
  readonly seeds: Value;
  /** The sites whose numbers are wanted. */
  readonly sites: readonly number[];
  /** 0 for rows, 1 for columns. */
  readonly kind: 0 | 1;
  /** int32 [n]: the rows' (columns') numbers, each counted within its part. */
  readonly places: Value;
  /** int32 [n]: the part that each row belongs to; absent for columns, which every part has all of. */
  readonly parts?: Value;
}

/**
 * The numbers of many sites at once, by the same arithmetic: with `parts` [Z, sites, n], without [Z, sites, P, n].
 * Feeding them to {@link dropoutFrom} gives the masks that {@link dropout} gives with the seed of the row's part.
 */
export const siteNumbers: Operation<[wanted: SiteNumbers]> = composed({
  name: "siteNumbers",
  build: ({ seeds, sites, kind, places, parts }: SiteNumbers): Value => {
    const { builder } = seeds;
    const [runs, count] = [seeds.dimension(0), seeds.dimension(1)];
    const offsets = builder.constant(
      Int32Array.from(sites, (site) => siteOffset(site, kind)),
      [1, sites.length, 1],
    );
    const start = startOf(reshape(seeds, [runs, 1, count]), offsets);
    if (parts) return numbersOf(gather(start, parts, 2), places);
    return numbersOf(reshape(start, [runs, sites.length, count, 1]), places);
  },
  cases: ({ integers }) => ({
    siteNumbers: {
      samples: {
        seeds: { ...integers(2 ** 31, 2, 2), type: "int32" },
        places: { shape: [5], data: [0, 1, 2, 0, 1], type: "int32" },
        parts: { shape: [5], data: [0, 0, 0, 1, 1], type: "int32" },
      },
      build: ({ seeds, places, parts }) => [
        siteNumbers({ seeds: seeds!, sites: [0, 7, 9], kind: 0, places: places!, parts: parts! }),
        siteNumbers({ seeds: seeds!, sites: [3], kind: 1, places: places! }),
      ],
      gradient: false,
    },
  }),
});

function mix(x: Value): Value {
  const squared = mul(x, add(mul(x, 2), 1));
  return add(mul(squared, 65536), div(squared, 65536));
}

/** The number as a wrapped int32. */
function int32(value: number): number {
  return value | 0;
}
