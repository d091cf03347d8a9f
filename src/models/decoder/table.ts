import {
  bitCast,
  cast,
  type Device,
  type DeviceArray,
  GraphBuilder,
  type Program,
  type Value,
} from "../../graph/index.js";
import { Compiled } from "../compiled.js";
import { expandToFloat32 } from "../float-formats.js";
import type { Parameter } from "../model.js";
import type { Weights } from "../weights.js";

/**
 * Words whose logits are computed at once on the CPU: their float32 weights, 9 MB at Gemma's size, go from one
 * operation to the next within the processor's cache. Sixteen times as many take half as long again, and a loss with
 * its gradient twice as long.
 */
const CHUNK = 1024;

/** What words of a type are fed as: no array of bfloat16 can be. */
const FED_AS = { bfloat16: "uint16", float16: "float16", float32: "float32" } as const;

/**
 * Bytes of a stretch of a table on a device that does not reach the whole: four of Gemma 2's, whose products are still
 * large.
 */
const STRETCH = 640 * 2 ** 20;

/**
 * A frozen table in the machine's memory, in half that of float32 where it is stored so. A device has it as float32,
 * in stretches where it is too large to be reached as a whole: then tokens are looked up here.
 */
export interface FrozenTable {
  readonly type: "bfloat16" | "float16" | "float32";
  /** None where the table stands for its shape alone, on a meta device. */
  readonly words: Uint16Array | Float32Array;
}

/** What safetensors calls the types. */
const STORED_AS = { bfloat16: "BF16", float16: "F16", float32: "F32" } as const;

/** A table [vocabSize, hiddenSize] as it is held: a float32 parameter, or frozen words. */
export type TableStorage = { readonly parameter: Parameter } | FrozenTable;

/** A table of tokens with the programs that read it. */
export class Table {
  private readonly programs: Compiled<Program>;
  private uploaded: Promise<DeviceArray[]> | undefined;

  /** @param frozen the table's words, where it is not among the weights */
  constructor(
    private readonly weights: Weights,
    private readonly name: string,
    readonly vocabSize: number,
    readonly hiddenSize: number,
    private readonly frozen?: FrozenTable,
  ) {
    this.programs = new Compiled(weights);
  }

  get device(): Device {
    return this.weights.device;
  }

  /** The table as it is now: freezing puts another parameter in its place. */
  get storage(): TableStorage {
    return this.frozen ?? { parameter: this.weights.get(this.name) };
  }

  get trained(): boolean {
    return !this.frozen && this.weights.get(this.name).trained;
  }

  /** The whole of a float32 table. */
  get array(): DeviceArray {
    return this.weights.get(this.name).array;
  }

  /**
   * A program by its name, built when it is first asked for; it reads the table as an input `table` unless told
   * otherwise.
   */
  program(
    name: string,
    build: (graph: GraphBuilder, table: Value) => void,
    { readsTable = true } = {},
  ): Promise<Program> {
    return this.programs.get(name, () => {
      const graph = new GraphBuilder(`decoder.${name}`);
      if (this.device.memory !== "host") {
        build(graph, readsTable ? graph.input("table", "float32", ["C", this.hiddenSize]) : (undefined as never));
        return this.device.compile(graph);
      }
      const stored = readsTable
        ? graph.input("table", this.frozen ? FED_AS[this.frozen.type] : "float32", ["C", this.hiddenSize])
        : undefined;
      const words = stored && (this.frozen?.type === "bfloat16" ? bitCast(stored, "bfloat16") : stored);
      const table = words && (this.frozen ? cast(words, "float32") : words);
      build(graph, table!);
      return this.device.compile(graph);
    });
  }

  /** Rows of frozen words as float32: [tokens, hiddenSize]. */
  lookUp({ type, words }: FrozenTable, tokens: Int32Array): Float32Array {
    const { hiddenSize } = this;
    const rows = new Float32Array(tokens.length * hiddenSize);
    if (words.length === 0) return rows;
    tokens.forEach((token, at) => {
      const row = words.subarray(token * hiddenSize, (token + 1) * hiddenSize);
      const bytes = new Uint8Array(row.buffer, row.byteOffset, row.byteLength);
      expandToFloat32(bytes, STORED_AS[type], rows, at * hiddenSize);
    });
    return rows;
  }

  /** Stretches of the vocabulary with their part of the table, in the machine's memory. */
  *chunks(): Generator<readonly [start: number, end: number, table: DeviceArray]> {
    const { vocabSize, hiddenSize, storage } = this;
    const [elements, type] =
      "parameter" in storage
        ? [storage.parameter.array.data as Float32Array, "float32" as const]
        : [storage.words, FED_AS[storage.type]];
    for (let start = 0; start < vocabSize; start += CHUNK) {
      const end = Math.min(vocabSize, start + CHUNK);
      yield [
        start,
        end,
        this.device.array(elements.subarray(start * hiddenSize, end * hiddenSize), [end - start, hiddenSize], type),
      ];
    }
  }

  /** Rows of each stretch of the table on a device: all of it where the device reaches it whole. */
  get stretches(): number[] {
    const { vocabSize, hiddenSize } = this;
    const { bindingLimit = Number.POSITIVE_INFINITY } = this.device;
    if (!this.frozen) return [vocabSize];
    const rows = Math.max(1, Math.floor(Math.min(STRETCH, bindingLimit) / (4 * hiddenSize)));
    const count = Math.ceil(vocabSize / rows);
    const each = Math.ceil(vocabSize / count);
    return Array.from({ length: count }, (_, i) => Math.min(each, vocabSize - i * each));
  }

  /** The table on a device as float32, in {@link stretches}; frozen words are expanded and sent once. */
  async onDevice(): Promise<readonly DeviceArray[]> {
    const { frozen, hiddenSize, device } = this;
    if (!frozen) return [this.array];
    this.uploaded ??= (async () => {
      const arrays: DeviceArray[] = [];
      let start = 0;
      for (const rows of this.stretches) {
        const tokens = Int32Array.from({ length: rows }, (_, i) => start + i);
        const whole = device.array(this.lookUp(frozen, tokens), [rows, hiddenSize]);
        arrays.push(await device.upload(whole, `Rows ${start} to ${start + rows - 1} of ${this.name}`));
        start += rows;
      }
      return arrays;
    })();
    return this.uploaded;
  }

  async dispose(): Promise<void> {
    await this.programs.dispose();
    if (this.uploaded) for (const array of await this.uploaded) this.device.dispose(array);
    this.uploaded = undefined;
  }
}
