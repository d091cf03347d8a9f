/** 8-bit weights in blocks: an add-on to the engine, loaded by who imports it. */

import { int } from "../attributes.js";
import { buildError, type Value } from "../builder.js";
import { type Case, composed, type Operation, operation, type Sample, type SampleMakers } from "../operation.js";
import { mul, sub } from "../ops/arithmetic.js";
import { cast } from "../ops/cast.js";
import { gather } from "../ops/gather.js";
import { reshape } from "../ops/reshape.js";
import { slice } from "../ops/slice.js";
import { unsqueeze } from "../ops/squeeze.js";

/** The code of zero: codes count from 1 to 255. */
export const BLOCK8_ZERO = 128;

/**
 * A matrix [rows, columns] in 8 bits: blocks of consecutive elements of a row, each with a scale; an element is (code −
 * {@link BLOCK8_ZERO}) · scale. A row's last block is filled up.
 */
export interface Block8Weight {
  readonly rows: number;
  readonly columns: number;
  readonly blockSize: number;
  /** uint8 [rows, blocks of a row, blockSize] */
  readonly codes: Value;
  /** float32 [rows, blocks of a row] */
  readonly scales: Value;
}

function check({ rows, columns, blockSize, codes, scales }: Block8Weight, operands: readonly Value[]): void {
  const blocks = Math.ceil(columns / blockSize);
  const fail = (reason: string): never => {
    throw buildError("MatMulNBits", operands, reason);
  };
  if (blockSize < 16 || (blockSize & (blockSize - 1)) !== 0)
    fail(`the block size ${blockSize} is not a power of two from 16`);
  if (codes.type !== "uint8" || String(codes.shape) !== String([rows, blocks, blockSize]))
    fail(`the codes are ${codes.describe()}, not uint8 [${rows}, ${blocks}, ${blockSize}]`);
  if (scales.type !== "float32" || String(scales.shape) !== String([rows, blocks]))
    fail(`the scales are ${scales.describe()}, not float32 [${rows}, ${blocks}]`);
}

/** Products of 8-bit numbers: without them the runtime's CPU expands the whole matrix at each run. */
const EIGHT_BIT_PRODUCTS = 4;

/**
 * x · Wᵀ with W in 8 bits: [..., columns] → [..., rows]. On the CPU x is rounded to 8 bits too, by blocks of each row.
 * The weight is frozen, and nothing has a gradient.
 */
export const matmulBlock8: Operation<[x: Value, weight: Block8Weight]> = operation({
  name: "MatMulNBits",
  domain: "com.microsoft",
  infer: (x: Value, weight: Block8Weight) => {
    const { rows, columns, blockSize, codes, scales } = weight;
    check(weight, [x, codes, scales]);
    if (x.type !== "float32" || x.rank < 2 || x.dimension(-1) !== columns)
      throw buildError("MatMulNBits", [x, codes], `x is not float32 [..., ${columns}]`);
    return {
      inputs: [x, codes, scales],
      type: "float32" as const,
      shape: [...x.shape.slice(0, -1), rows],
      attributes: {
        K: int(columns),
        N: int(rows),
        bits: int(8),
        block_size: int(blockSize),
        accuracy_level: int(EIGHT_BIT_PRODUCTS),
      },
    };
  },
  cases: (make) => ({
    matmulBlock8: block8Case(make, 64, { x: make.normal(3, 64) }, ({ x }, weight) => matmulBlock8(x!, weight)),
    "matmulBlock8, a block filled up": block8Case(make, 40, { x: make.normal(2, 3, 40) }, ({ x }, weight) =>
      matmulBlock8(x!, weight),
    ),
  }),
});

/** Rows of the weight by their numbers: whole numbers [n] → float32 [n, columns]. */
export const gatherBlock8: Operation<[weight: Block8Weight, indices: Value]> = composed({
  name: "gatherBlock8",
  build: (weight: Block8Weight, indices: Value): Value => {
    const { codes, scales, columns, blockSize } = weight;
    check(weight, [codes, scales]);
    if (indices.rank !== 1) throw buildError("gatherBlock8", [indices], "the indices have not one axis");
    const values = sub(cast(gather(codes, indices), "float32"), BLOCK8_ZERO);
    const scaled = mul(values, unsqueeze(gather(scales, indices), [2]));
    const wide = reshape(scaled, [indices.dimension(0), Math.ceil(columns / blockSize) * blockSize]);
    return slice(wide, 1, 0, columns);
  },
  cases: (make) => ({
    gatherBlock8: block8Case(make, 40, { i: make.integers(48, 5) }, ({ i }, weight) => gatherBlock8(weight, i!)),
  }),
});

function block8Case(
  { positive, integers }: SampleMakers,
  columns: number,
  samples: Readonly<Record<string, Sample>>,
  build: (inputs: Readonly<Record<string, Value>>, weight: Block8Weight) => Value,
): Case {
  const [rows, blockSize] = [48, 32];
  const blocks = Math.ceil(columns / blockSize);
  return {
    samples: {
      ...samples,
      codes: { ...integers(256, rows, blocks, blockSize), type: "uint8" },
      scales: { ...positive(rows, blocks), type: "float32" },
    },
    build: ({ codes, scales, ...inputs }) =>
      build(inputs, { rows, columns, blockSize, codes: codes!, scales: scales! }),
    float32: true,
    gradient: false,
  };
}
