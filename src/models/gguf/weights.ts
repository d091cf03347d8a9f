import { UserError } from "../../base/errors.js";
import type { GgufFile, GgufTensor } from "../../gguf/index.js";
import type { TensorFile } from "../checkpoint-weights.js";
import type { DecoderDescription } from "../decoder/description.js";
import { STORED_TYPES, type StoredType } from "../float-formats.js";
import type { StoredTensor } from "../safetensors.js";
import { ggufName, isNorm, isRotated, neighbourRow } from "./names.js";

/** Rows that are put in order at once. */
const ROWS = 1024;

interface Place {
  readonly stored: GgufTensor;
  readonly entry: StoredTensor;
  /** Whether the file has it one higher. */
  readonly oneHigher: boolean;
  /** Whether rows stand in another order in the file. */
  readonly reordered: boolean;
}

/**
 * A GGUF file's tensors as transformers has them: by its names, its order of rows and its norms, in the type that the
 * file has or, where that is quantized, dequantized to float32.
 */
export class GgufWeights implements TensorFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  private readonly places = new Map<string, Place>();

  /**
   * @param names transformers' names of the model's weights: what may be in the file
   * @param left names in the file that are no weights of the model
   * @throws {UserError} where the file has a tensor that the model has not
   */
  constructor(
    private readonly file: GgufFile,
    names: Iterable<string>,
    private readonly description: DecoderDescription,
    private readonly headDim: number,
    left: ReadonlySet<string>,
  ) {
    const { norm, gguf, title } = description;
    const known = new Map([...names].map((name) => [ggufName(name, description), name]));
    for (const stored of file.tensors.values()) {
      const name = known.get(stored.name);
      if (name === undefined) {
        if (left.has(stored.name)) continue;
        throw new UserError(`${file.path} has the tensor ${stored.name}, which ${title} does not have`, {
          hint: "The model would compute something else without it.",
        });
      }
      const oneHigher = norm.storedLessOne && isNorm(stored.name);
      const reordered = gguf.neighboursRotated === true && isRotated(stored.name);
      const plain = stored.kind === "F32" || stored.kind === "F16" || stored.kind === "BF16";
      const type: StoredType = plain && !oneHigher ? (stored.kind as StoredType) : "F32";
      const bytes = stored.shape.reduce((product, size) => product * size, 1) * STORED_TYPES[type];
      const entry = { name, type, shape: stored.shape, offset: stored.offset, bytes };
      this.places.set(name, { stored, entry, oneHigher, reordered });
    }
    this.tensors = new Map([...this.places].map(([name, { entry }]) => [name, entry]));
  }

  get path(): string {
    return this.file.path;
  }

  entry(name: string): StoredTensor {
    return this.place(name).entry;
  }

  async readBytes(name: string): Promise<Uint8Array> {
    return this.readBytesNow(name);
  }

  readBytesNow(name: string): Uint8Array {
    const { stored, entry, oneHigher, reordered } = this.place(name);
    if (oneHigher || entry.type !== stored.kind) {
      const values = this.rows(name, 0, rowsOf(stored));
      return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    }
    const bytes = this.file.readBytes(stored.name);
    return reordered ? inOrder(bytes, rowsOf(stored), this.headDim) : bytes;
  }

  async readFloat32(name: string, memory?: Float32Array): Promise<Float32Array> {
    return this.rows(name, 0, rowsOf(this.place(name).stored), memory);
  }

  async readRows(name: string, from: number, count: number): Promise<Float32Array> {
    return this.rows(name, from, count);
  }

  readRowsNow(name: string, from: number, count: number): Float32Array {
    return this.rows(name, from, count);
  }

  sha256(): Promise<string> {
    return this.file.sha256();
  }

  async close(): Promise<void> {
    this.file.close();
  }

  /** Rows (of the first axis) as float32. */
  private rows(name: string, from: number, count: number, memory?: Float32Array): Float32Array {
    const { stored, oneHigher, reordered } = this.place(name);
    const rows = rowsOf(stored);
    if (from < 0 || count < 0 || from + count > rows)
      throw new Error(`rows ${from} to ${from + count} of ${rows} of ${name}`);
    const whole = stored.shape.length === 1;
    if (reordered && !(whole && count === rows)) return this.reorderedRows(stored, from, count, memory);
    const values = whole
      ? this.file.readRows(stored.name, 0, 1, memory).subarray(from, from + count)
      : this.file.readRows(stored.name, from, count, memory);
    if (oneHigher) for (let i = 0; i < values.length; i++) values[i] = values[i]! - 1;
    if (!reordered) return values;
    const copy = values.slice();
    for (let row = 0; row < rows; row++) values[row] = copy[neighbourRow(row, this.headDim)]!;
    return values;
  }

  private reorderedRows({ name, shape }: GgufTensor, from: number, count: number, memory?: Float32Array): Float32Array {
    const width = shape[1] ?? 1;
    const out =
      memory && memory.length >= count * width ? memory.subarray(0, count * width) : new Float32Array(count * width);
    // A head's rows stay within the head, so that stretches of heads can be read at once.
    const heads = Math.max(1, Math.floor(ROWS / this.headDim));
    for (let row = from; row < from + count; ) {
      const start = Math.floor(row / this.headDim) * this.headDim;
      const end = Math.min(start + heads * this.headDim, Math.ceil((from + count) / this.headDim) * this.headDim);
      const read = this.file.readRows(name, start, end - start);
      for (; row < Math.min(end, from + count); row++) {
        const at = (neighbourRow(row, this.headDim) - start) * width;
        out.set(read.subarray(at, at + width), (row - from) * width);
      }
    }
    return out;
  }

  private place(name: string): Place {
    const place = this.places.get(name);
    if (!place)
      throw new UserError(`${this.path} has no tensor ${ggufName(name, this.description)}`, {
        hint: "Download the file again, or convert the model anew with llama.cpp.",
      });
    return place;
  }
}

const rowsOf = ({ shape }: GgufTensor): number => shape[0] ?? 1;

function inOrder(bytes: Uint8Array, rows: number, headDim: number): Uint8Array {
  const width = bytes.length / rows;
  const out = new Uint8Array(bytes.length);
  for (let row = 0; row < rows; row++) {
    const at = neighbourRow(row, headDim) * width;
    out.set(bytes.subarray(at, at + width), row * width);
  }
  return out;
}
