/** 4-bit weights of bitsandbytes: an add-on to the engine, loaded by who imports it. */

import { int, intAttribute } from "../attributes.js";
import { buildError, type GraphBuilder, type Value } from "../builder.js";
import { GraphError } from "../errors.js";
import { type Case, composed, type Operation, operation, type SampleMakers } from "../operation.js";
import { mul } from "../ops/arithmetic.js";
import { cast } from "../ops/cast.js";
import { expand } from "../ops/expand.js";
import { gather } from "../ops/gather.js";
import { matmul } from "../ops/matmul.js";
import { reshape } from "../ops/reshape.js";

export type Bnb4Kind = "fp4" | "nf4";

/** What each of the sixteen codes of bitsandbytes' 4-bit types stands for, before its block's scale. */
export const BNB4_VALUES: Readonly<Record<Bnb4Kind, readonly number[]>> = {
  fp4: [
    0, 0.005208333333333333, 0.6666666666666666, 1, 0.3333333333333333, 0.5, 0.16666666666666666, 0.25, -0,
    -0.005208333333333333, -0.6666666666666666, -1, -0.3333333333333333, -0.5, -0.16666666666666666, -0.25,
  ],
  nf4: [
    -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
  ],
};

/** A matrix [rows, columns] in 4 bits: blocks of consecutive elements, row after row, each with a scale. */
export interface Bnb4Weight {
  readonly kind: Bnb4Kind;
  readonly rows: number;
  readonly columns: number;
  readonly blockSize: number;
  /** uint8 [rows · columns / 2]: two codes a byte, the first in the high half. */
  readonly packed: Value;
  /**
   * uint16 [rows · columns / 4]: the same bytes read two at a time, little end first. With them gradients and
   * `dequantizeBnb4` take half the time on the CPU; a GPU has no such type and reads the packed codes.
   */
  readonly words?: Value;
  /** float32 [⌈rows · columns / blockSize⌉]: what the values of each block are multiplied by. */
  readonly scales: Value;
}

function check(weight: Bnb4Weight, operands: readonly Value[]): void {
  const { rows, columns, blockSize, packed, words, scales } = weight;
  const elements = rows * columns;
  const fail = (reason: string): never => {
    throw buildError("MatMulBnb4", operands, reason);
  };
  if (blockSize < 16 || (blockSize & (blockSize - 1)) !== 0)
    fail(`the block size ${blockSize} is not a power of two from 16`);
  if (elements % blockSize !== 0) fail(`blocks of ${blockSize} do not fill ${rows} × ${columns}`);
  if (packed.type !== "uint8" || packed.rank !== 1 || packed.shape[0] !== elements / 2)
    fail(`the packed codes are ${packed.describe()}, not uint8 [${elements / 2}]`);
  if (words && (words.type !== "uint16" || words.rank !== 1 || words.shape[0] !== elements / 4))
    fail(`the words are ${words.describe()}, not uint16 [${elements / 4}]`);
  if (scales.type !== "float32" || scales.rank !== 1 || scales.shape[0] !== elements / blockSize)
    fail(`the scales are ${scales.describe()}, not float32 [${elements / blockSize}]`);
}

/** The runtime's product; its gradient is that of `matmulBnb4`, which knows the words. */
export const bnb4Product: Operation<[x: Value, weight: Bnb4Weight]> = operation({
  name: "MatMulBnb4",
  domain: "com.microsoft",
  infer: (x: Value, { kind, rows, columns, blockSize, packed, scales }: Bnb4Weight) => ({
    inputs: [x, packed, scales],
    type: "float32" as const,
    shape: [...x.shape.slice(0, -1), rows],
    attributes: {
      K: int(columns),
      N: int(rows),
      block_size: int(blockSize),
      quant_type: int(kind === "nf4" ? 1 : 0),
      transB: int(1),
      training_mode: int(0),
    },
  }),
  lower: (node, lowering) => {
    if (intAttribute(node, "transB") !== 1)
      throw new GraphError("MatMulBnb4 with transB = 0 computes something else than x · W: dequantize and multiply");
    lowering.copy(node);
  },
});

/**
 * x · Wᵀ with W in 4 bits: [..., columns] → [..., rows]. The weight is frozen: only x has a gradient, which needs
 * `words`. The runtime's operation is silently wrong for x · W, which is therefore not offered.
 */
export const matmulBnb4: Operation<[x: Value, weight: Bnb4Weight]> = composed({
  name: "matmulBnb4",
  build: (x: Value, weight: Bnb4Weight): Value => {
    const { rows, columns, packed, scales } = weight;
    check(weight, [x, packed, scales]);
    if (x.type !== "float32" || x.rank < 2 || x.dimension(-1) !== columns)
      throw buildError("MatMulBnb4", [x, packed], `x is not float32 [..., ${columns}]`);
    return x.builder.region(
      "matmulBnb4",
      [x],
      () => [bnb4Product(x, weight)],
      ([dy]) => [matmul(expand(dy!, [...x.shape.slice(0, -1), rows]), dequantizeBnb4(weight))],
    )[0]!;
  },
  cases: (make) => ({
    "matmulBnb4, nf4": bnb4Case(make, "nf4", (x, weight) => matmulBnb4(x, weight)),
    "matmulBnb4, fp4": bnb4Case(make, "fp4", (x, weight) => matmulBnb4(x, weight)),
  }),
});

/** The weight as float32 [rows, columns]: four elements at a time from a table of all words, or two of all bytes. */
export const dequantizeBnb4: Operation<[weight: Bnb4Weight]> = composed({
  name: "dequantizeBnb4",
  build: (weight: Bnb4Weight): Value => {
    const { rows, columns, blockSize, words, packed, scales, kind } = weight;
    check(weight, [packed, scales]);
    const codes = words
      ? gather(table(packed.builder, kind, 2), cast(words, "int32"))
      : gather(table(packed.builder, kind, 1), cast(wholeNumbers(packed), "int32"));
    const blocks = (rows * columns) / blockSize;
    return reshape(mul(reshape(codes, [blocks, blockSize]), reshape(scales, [blocks, 1])), [rows, columns]);
  },
  cases: (make) => ({
    dequantizeBnb4: bnb4Case(make, "nf4", (x, weight) => matmul(x, dequantizeBnb4(weight), { transB: true })),
    "dequantizeBnb4, without words": bnb4Case(make, "fp4", (x, { words: _words, ...weight }) =>
      matmul(x, dequantizeBnb4(weight), { transB: true }),
    ),
  }),
});

/** Bytes as float32: WebGPU casts none, and runs this. */
function wholeNumbers(bytes: Value): Value {
  return bytes.builder.one("DequantizeLinear", [bytes, bytes.builder.scalar(1, "float32")], "float32", bytes.shape);
}

const tables = new Map<string, Float32Array>();
const tableValues = new WeakMap<GraphBuilder, Map<string, Value>>();

/** The elements of so many bytes, whatever they are: [65536, 4] or [256, 2]; one constant in a graph. */
function table(builder: GraphBuilder, kind: Bnb4Kind, bytes: 1 | 2): Value {
  const key = `${kind} ${bytes}`;
  const shape = [256 ** bytes, 2 * bytes] as const;
  let data = tables.get(key);
  if (!data) {
    const values = BNB4_VALUES[kind];
    data = new Float32Array(shape[0] * shape[1]);
    for (let word = 0; word < shape[0]; word++)
      for (let byte = 0; byte < bytes; byte++) {
        const codes = (word >> (8 * byte)) & 255;
        data.set([values[codes >> 4]!, values[codes & 15]!], word * shape[1] + 2 * byte);
      }
    tables.set(key, data);
  }
  let known = tableValues.get(builder);
  if (!known) tableValues.set(builder, (known = new Map()));
  let value = known.get(key);
  if (!value) known.set(key, (value = builder.constant(data, shape)));
  return value;
}

function bnb4Case(
  { normal, positive, integers }: SampleMakers,
  kind: Bnb4Kind,
  build: (x: Value, weight: Bnb4Weight) => Value,
): Case {
  const [rows, columns, blockSize] = [32, 64, 64];
  const packed = integers(256, (rows * columns) / 2);
  const words = Array.from({ length: packed.data.length / 2 }, (_, i) => {
    return packed.data[2 * i]! + 256 * packed.data[2 * i + 1]!;
  });
  return {
    samples: {
      x: normal(3, columns),
      packed: { ...packed, type: "uint8" },
      words: { shape: [words.length], data: words, type: "uint16" },
      scales: { ...positive((rows * columns) / blockSize), type: "float32", checked: false },
    },
    build: ({ x, packed, words, scales }) =>
      build(x!, { kind, rows, columns, blockSize, packed: packed!, words: words!, scales: scales! }),
    float32: true,
  };
}
