import { BLOCK8_ZERO, gatherBlock8, matmulBlock8 } from "../../graph/block8/index.js";
import {
  bytesOf,
  type Device,
  type DeviceArray,
  type ElementType,
  elementCount,
  gather,
  type ModelFileOptions,
  type TypedArray,
  type Value,
} from "../../graph/index.js";
import { type MergedWeights, mergedRows } from "../lora/merged-rows.js";
import type { ModelGraph } from "../model-graph.js";
import { isDecayed, type StoredWeight, Weights } from "../weights.js";

/** What matrices are stored as, by transformers.js' names of its `dtype`. */
export const ONNX_TYPES = ["fp32", "q8"] as const;
export type OnnxType = (typeof ONNX_TYPES)[number];

/** Elements of a row that share a scale. */
const BLOCK = 32;
/** Elements that are read, merged and quantized at once. */
const ELEMENTS = 1 << 20;

/** An array that is read when it is written; until then there is its type and shape. */
class Unread implements DeviceArray {
  readonly size: number;
  readonly onDevice = false;

  constructor(
    readonly shape: readonly number[],
    readonly type: ElementType = "float32",
  ) {
    this.size = elementCount(shape);
  }

  get bytes(): number {
    return this.size * bytesOf(this.type);
  }

  get data(): TypedArray {
    throw new Error("a weight of a model that is only written");
  }
}

/** A model's weights for graphs that are written, and their elements for the files. */
export interface OnnxWeights {
  readonly weights: Weights;
  readonly stored: ModelFileOptions["stored"];
}

/**
 * The weights of a model to be written: none is read before it is, and then some rows at a time.
 * @param shapes by the model's names
 * @param done is told of each weight that was written
 */
export function onnxWeights(
  device: Device,
  shapes: ReadonlyMap<string, readonly number[]>,
  source: MergedWeights,
  type: OnnxType,
  done: (name: string) => void,
): OnnxWeights {
  const weights = new Weights(device);
  const stored = new Map<string, { type: ElementType; shape: readonly number[]; pieces: () => Iterable<Uint8Array> }>();
  for (const [name, shape] of shapes) {
    const rows = (): Generator<Float32Array> => rowsOf(source, name, shape);
    if (type === "q8" && isQuantized(name, shape)) {
      const [outputs, inputs] = shape as readonly [number, number];
      weights.addStored(name, blockWeight(outputs, inputs));
      const { codes, scales } = blocksOf(rows, outputs, inputs, () => done(name));
      stored.set(`${name}/codes`, codes);
      stored.set(`${name}/scales`, scales);
    } else {
      weights.add({ name, shape, trained: false, decayed: isDecayed(name), array: new Unread(shape) });
      stored.set(name, { type: "float32", shape, pieces: () => floatPieces(rows(), () => done(name)) });
    }
  }
  return { weights, stored };
}

/** Linear layers and tables of tokens; T5's table of position biases has a few hundred elements. */
const isQuantized = (name: string, shape: readonly number[]): boolean =>
  shape.length === 2 && !name.endsWith(".relative_attention_bias.weight");

/** Rows of a table of tokens by their ids: whole numbers [n] → float32 [n, columns]. */
export function tokenRows(graph: ModelGraph, name: string, ids: Value): Value {
  const weight = graph.weights.storedWeight(name);
  if (!weight) return gather(graph.weight(name), ids);
  return gatherBlock8(block8Of(weight.shape, graph.stored(name)!), ids);
}

const block8Of = ([rows, columns]: readonly [number, number], { codes, scales }: Readonly<Record<string, Value>>) => ({
  rows,
  columns,
  blockSize: BLOCK,
  codes: codes!,
  scales: scales!,
});

function blockWeight(rows: number, columns: number): StoredWeight {
  const shape = [rows, columns] as const;
  const blocks = Math.ceil(columns / BLOCK);
  const arrays = { codes: new Unread([rows, blocks, BLOCK], "uint8"), scales: new Unread([rows, blocks]) };
  return {
    quantization: { kind: "int8", blockSize: BLOCK },
    shape,
    arrays,
    bytes: arrays.codes.bytes + arrays.scales.bytes,
    product: (inputs, x) => matmulBlock8(x, block8Of(shape, inputs)),
    dense: () => Promise.reject(new Error("a weight of a model that is only written")),
  };
}

function* rowsOf(source: MergedWeights, name: string, shape: readonly number[]): Generator<Float32Array> {
  const most = Math.max(1, Math.floor(ELEMENTS / (shape[1] ?? 1)));
  for (let row = 0; row < shape[0]!; row += most) yield mergedRows(source, name, row, Math.min(most, shape[0]! - row));
}

function* floatPieces(rows: Iterable<Float32Array>, done: () => void): Generator<Uint8Array> {
  for (const values of rows) yield new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  done();
}

/** The codes and scales of a matrix; scales are kept from where the codes were made. */
function blocksOf(rows: () => Iterable<Float32Array>, outputs: number, inputs: number, done: () => void) {
  const blocks = Math.ceil(inputs / BLOCK);
  let kept: Float32Array | undefined;
  function* codes(): Generator<Uint8Array> {
    const scales = new Float32Array(outputs * blocks);
    let at = 0;
    for (const values of rows()) {
      const count = values.length / inputs;
      yield quantizeBlock8(values, inputs, scales.subarray(at, (at += count * blocks)));
    }
    kept = scales;
  }
  function* scales(): Generator<Uint8Array> {
    if (!kept) for (const _ of codes());
    const { buffer, byteOffset, byteLength } = kept!;
    yield new Uint8Array(buffer, byteOffset, byteLength);
    kept = undefined;
    done();
  }
  return {
    codes: { type: "uint8", shape: [outputs, blocks, BLOCK], pieces: codes },
    scales: { type: "float32", shape: [outputs, blocks], pieces: scales },
  } as const;
}

/**
 * Rows in 8 bits: in each block of 32 elements the largest is 127 away from zero, as in GGUF's Q8_0, but with float32
 * scales. A row's last block is filled up with zeros.
 * @param scales is written: one for each block
 */
export function quantizeBlock8(values: Float32Array, columns: number, scales: Float32Array): Uint8Array {
  const blocks = Math.ceil(columns / BLOCK);
  const codes = new Uint8Array(scales.length * BLOCK).fill(BLOCK8_ZERO);
  for (let block = 0; block < scales.length; block++) {
    const row = Math.floor(block / blocks) * columns;
    const from = row + (block % blocks) * BLOCK;
    const to = Math.min(from + BLOCK, row + columns);
    let largest = 0;
    for (let i = from; i < to; i++) largest = Math.max(largest, Math.abs(values[i]!));
    scales[block] = largest / 127;
    if (scales[block] === 0) continue;
    const inverse = 127 / largest;
    for (let i = from; i < to; i++) codes[block * BLOCK + i - from] = BLOCK8_ZERO + Math.round(values[i]! * inverse);
  }
  return codes;
}
