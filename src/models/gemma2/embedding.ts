import {
  add,
  bitCast,
  cast,
  crossEntropy,
  type Device,
  type DeviceArray,
  GraphBuilder,
  gather,
  gradientsFrom,
  matmul,
  mul,
  type Program,
  reduceSum,
  softcap,
  transpose,
  type Value,
} from "../../graph/index.js";
import { Compiled } from "../compiled.js";
import type { NextLogits } from "../generate.js";
import type { Parameter } from "../model.js";
import type { Weights } from "../weights.js";
import { EMBEDDING, type Gemma2Config } from "./config.js";

/**
 * Words whose logits are computed at once on the CPU: their float32 weights, 9 MB at Gemma's width, go from one operation to the
 * next within the processor's cache. Sixteen times as many take half as long again, and a loss with its gradient twice as long.
 */
const CHUNK = 1024;

/** Loss at some positions, with what flows back from it. */
export interface HeadLoss {
  readonly lossSum: number;
  /** float32 [M, width] */
  readonly dStates?: DeviceArray;
  /** float32 [vocabulary, width], where the table is trained */
  readonly dTable?: DeviceArray;
}

/** The table as it is held: a float32 parameter, or frozen bfloat16 words in half the memory. */
export type TableStorage = { readonly parameter: Parameter } | { readonly bfloat16: Uint16Array };

/**
 * Gemma's embedding, which is its output layer too. On the CPU logits are made a stretch of the vocabulary at a time, so that a
 * table of 256,000 bfloat16 words never stands in memory as float32.
 */
export class Embedding {
  private readonly programs: Compiled<Program>;
  private readonly scale: number;
  /** Raw logits on the CPU, done with before the next are made. */
  private memory = new Float32Array(0);

  /** @param frozen the table's bfloat16 words, where it is not among the weights */
  constructor(
    private readonly weights: Weights,
    private readonly config: Gemma2Config,
    private readonly frozen?: Uint16Array,
  ) {
    this.programs = new Compiled(weights);
    const root = Math.fround(Math.sqrt(config.width));
    // The published model multiplies by √width as its weights' type has it.
    this.scale = frozen ? roundToBfloat16(root) : root;
  }

  private get device(): Device {
    return this.weights.device;
  }

  /** The table as it is now: freezing puts another parameter in its place. */
  get storage(): TableStorage {
    return this.frozen ? { bfloat16: this.frozen } : { parameter: this.weights.get(EMBEDDING) };
  }

  get trained(): boolean {
    return "parameter" in this.storage && this.storage.parameter.trained;
  }

  get bytes(): number {
    return "parameter" in this.storage ? this.storage.parameter.array.bytes : this.storage.bfloat16.byteLength;
  }

  /** Embedded tokens [T, width], scaled. */
  async embed(tokens: Int32Array): Promise<DeviceArray> {
    const { width } = this.config;
    const { storage } = this;
    if (this.device.name !== "cpu" && "parameter" in storage) {
      const program = await this.program("embed", (graph, table) => {
        graph.output("states", mul(gather(table, graph.input("tokens", "int32", ["T"])), this.scale));
      });
      return (
        await program.run({ table: storage.parameter.array, tokens: this.device.array(tokens, [tokens.length]) })
      )["states"]!;
    }
    const states = new Float32Array(tokens.length * width);
    if ("parameter" in storage) {
      const table = storage.parameter.array.data as Float32Array;
      tokens.forEach((token, at) => {
        for (let i = 0; i < width; i++) states[at * width + i] = table[token * width + i]! * this.scale;
      });
    } else {
      const bits = new Uint32Array(states.buffer);
      tokens.forEach((token, at) => {
        for (let i = 0; i < width; i++) bits[at * width + i] = storage.bfloat16[token * width + i]! << 16;
      });
      for (let i = 0; i < states.length; i++) states[i]! *= this.scale;
    }
    return this.device.array(states, [tokens.length, width]);
  }

  /** The summed loss of labels at normed states [M, width], and its gradient times `scale` where one is given. */
  async loss(states: DeviceArray, labels: Int32Array, scale?: number): Promise<HeadLoss> {
    const { vocabularySize, width, finalCap } = this.config;
    const raw = await this.rawLogits(states);
    const withGradient = scale !== undefined;
    const program = await this.program(
      withGradient ? "loss and gradient" : "loss",
      (graph) => {
        const logits = graph.input("raw", "float32", [vocabularySize, "M"]);
        const capped = finalCap === null ? transpose(logits, [1, 0]) : softcap(transpose(logits, [1, 0]), finalCap);
        const loss = reduceSum(crossEntropy(capped, graph.input("labels", "int32", ["M"])));
        graph.output("loss", loss);
        if (withGradient)
          graph.output("dRaw", gradientsFrom([loss], [graph.input("scale", "float32", [])], [logits])[0]!);
      },
      false,
    );
    const feeds = { raw, labels: this.device.array(labels, [labels.length]) };
    const { loss, dRaw } = await program.run(
      withGradient ? { ...feeds, scale: this.device.array(Float32Array.of(scale), []) } : feeds,
    );
    this.device.dispose(raw);
    const lossSum = ((await this.device.read(loss!)) as Float32Array)[0]!;
    this.device.dispose(loss!);
    if (!dRaw) return { lossSum };
    let dStates = this.device.zeros([labels.length, width]);
    const dTable = this.trained && this.device.name === "cpu" ? this.device.zeros([vocabularySize, width]) : undefined;
    let dTableOnDevice: DeviceArray | undefined;
    const back = await this.program(this.trained ? "back to states and table" : "back to states", (graph, table) => {
      const d = graph.input("dRaw", "float32", [table.dimension(0), "M"]);
      graph.output("dStates", add(graph.input("before", "float32", ["M", width]), matmul(d, table, { transA: true })));
      if (this.trained) graph.output("dTable", matmul(d, graph.input("states", "float32", ["M", width])));
    });
    for (const [start, end, table] of this.chunks()) {
      const whole = start === 0 && end === vocabularySize;
      const d = whole
        ? dRaw
        : this.device.array((dRaw.data as Float32Array).subarray(start * labels.length, end * labels.length), [
            end - start,
            labels.length,
          ]);
      const into = dTable && {
        dTable: this.device.array((dTable.data as Float32Array).subarray(start * width, end * width), [
          end - start,
          width,
        ]),
      };
      const made = await back.run(
        { table, dRaw: d, before: dStates, ...(this.trained ? { states } : {}) },
        into ? { into } : {},
      );
      dStates = made["dStates"]!;
      if (!into) dTableOnDevice = made["dTable"];
    }
    this.device.dispose(dRaw);
    return { lossSum, dStates, dTable: dTable ?? dTableOnDevice };
  }

  /** Adds what flows back into the embedded tokens to the table's gradient, which is given back. */
  async addEmbedded(dTable: DeviceArray, tokens: Int32Array, dStates: DeviceArray): Promise<DeviceArray> {
    const { width } = this.config;
    if (this.device.name === "cpu") {
      const [sum, from] = [dTable.data as Float32Array, dStates.data as Float32Array];
      tokens.forEach((token, row) => {
        for (let i = 0; i < width; i++) sum[token * width + i]! += this.scale * from[row * width + i]!;
      });
      return dTable;
    }
    const program = await this.program("back to embedded", (graph, table) => {
      const embedded = mul(gather(table, graph.input("tokens", "int32", ["T"])), this.scale);
      graph.output("dTable", gradientsFrom([embedded], [graph.input("dStates", "float32", ["T", width])], [table])[0]!);
    });
    const made = await program.run({
      table: (this.storage as { parameter: Parameter }).parameter.array,
      tokens: this.device.array(tokens, [tokens.length]),
      dStates,
    });
    return this.device.add(dTable, made["dTable"]!);
  }

  /** Logits at normed states [M, width], row by row. */
  async logits(states: DeviceArray): Promise<NextLogits> {
    const { vocabularySize, finalCap } = this.config;
    const rows = states.shape[0]!;
    const raw = await this.rawLogits(states);
    const program = await this.program(
      "logits",
      (graph) => {
        const logits = transpose(graph.input("raw", "float32", [vocabularySize, "M"]), [1, 0]);
        graph.output("logits", finalCap === null ? logits : softcap(logits, finalCap));
      },
      false,
    );
    const { logits } = await program.run({ raw });
    this.device.dispose(raw);
    const values = (await this.device.read(logits!)) as Float32Array;
    this.device.dispose(logits!);
    return { rows, vocabulary: vocabularySize, values };
  }

  async dispose(): Promise<void> {
    await this.programs.dispose();
    this.memory = new Float32Array(0);
  }

  /** Logits before the cap, [vocabulary, M]: words first, so that a stretch of the vocabulary lies together. */
  private async rawLogits(states: DeviceArray): Promise<DeviceArray> {
    const { vocabularySize, width } = this.config;
    const rows = states.shape[0]!;
    const program = await this.program("raw logits", (graph, table) => {
      graph.output("raw", matmul(table, graph.input("states", "float32", ["M", width]), { transB: true }));
    });
    if (this.device.name !== "cpu")
      return (await program.run({ table: (this.storage as { parameter: Parameter }).parameter.array, states }))["raw"]!;
    if (this.memory.length < vocabularySize * rows) this.memory = new Float32Array(vocabularySize * rows);
    const raw = this.memory.subarray(0, vocabularySize * rows);
    for (const [start, end, table] of this.chunks()) {
      const into = { raw: this.device.array(raw.subarray(start * rows, end * rows), [end - start, rows]) };
      await program.run({ table, states }, { into });
    }
    return this.device.array(raw, [vocabularySize, rows]);
  }

  /** Stretches of the vocabulary with their part of the table; on a GPU the whole. */
  private *chunks(): Generator<readonly [start: number, end: number, table: DeviceArray]> {
    const { vocabularySize, width } = this.config;
    if (this.device.name !== "cpu") {
      yield [0, vocabularySize, (this.storage as { parameter: Parameter }).parameter.array];
      return;
    }
    const { storage } = this;
    const elements = "parameter" in storage ? (storage.parameter.array.data as Float32Array) : storage.bfloat16;
    for (let start = 0; start < vocabularySize; start += CHUNK) {
      const end = Math.min(vocabularySize, start + CHUNK);
      yield [start, end, this.device.array(elements.subarray(start * width, end * width), [end - start, width])];
    }
  }

  private program(
    name: string,
    build: (graph: GraphBuilder, table: Value) => void,
    readsTable = true,
  ): Promise<Program> {
    return this.programs.get(name, () => {
      const graph = new GraphBuilder(`gemma2.${name}`);
      const stored = readsTable
        ? graph.input("table", this.frozen ? "uint16" : "float32", ["C", this.config.width])
        : undefined;
      const table = stored && (this.frozen ? cast(bitCast(stored, "bfloat16"), "float32") : stored);
      build(graph, table!);
      return this.device.compile(graph);
    });
  }
}

function roundToBfloat16(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  bits[0] = ((bits[0]! + 0x7fff + ((bits[0]! >> 16) & 1)) & 0xffff0000) >>> 0;
  return new Float32Array(bits.buffer)[0]!;
}
