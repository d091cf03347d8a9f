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
import type { Parameter } from "../model.js";
import type { Weights } from "../weights.js";

/**
 * Words whose logits are computed at once on the CPU: their float32 weights, 9 MB at Gemma's size, go from one
 * operation to the next within the processor's cache. Sixteen times as many take half as long again, and a loss with
 * its gradient twice as long.
 */
const CHUNK = 1024;

/** What words of a type are fed as: no array of bfloat16 can be. */
const FED_AS = { bfloat16: "uint16", float16: "float16" } as const;

/** A frozen table in half the memory of float32 (on the CPU). */
export interface FrozenTable {
  readonly type: "bfloat16" | "float16";
  readonly words: Uint16Array;
}

/** A table [vocabSize, hiddenSize] as it is held: a float32 parameter, or frozen words. */
export type TableStorage = { readonly parameter: Parameter } | FrozenTable;

/** A table of tokens with the programs that read it. */
export class Table {
  private readonly programs: Compiled<Program>;

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
      const stored = readsTable
        ? graph.input("table", this.frozen ? FED_AS[this.frozen.type] : "float32", ["C", this.hiddenSize])
        : undefined;
      const words = stored && (this.frozen?.type === "bfloat16" ? bitCast(stored, "bfloat16") : stored);
      const table = words && (this.frozen ? cast(words, "float32") : words);
      build(graph, table!);
      return this.device.compile(graph);
    });
  }

  /** Stretches of the vocabulary with their part of the table; on a GPU the whole. */
  *chunks(): Generator<readonly [start: number, end: number, table: DeviceArray]> {
    const { vocabSize, hiddenSize, storage } = this;
    if (this.device.memory !== "host") {
      yield [0, vocabSize, this.array];
      return;
    }
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

  dispose(): Promise<void> {
    return this.programs.dispose();
  }
}
