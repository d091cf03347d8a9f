import {
  type DeviceArray,
  type GraphBuilder,
  gather,
  gradientsFrom,
  mul,
  roundToBfloat16,
  type Value,
} from "../../graph/index.js";
import { expandToFloat32 } from "../float-formats.js";
import type { Table } from "./table.js";

/** From tokens to states: rows of the table, multiplied by the root of their size where the architecture does so. */
export class Embedding {
  private readonly scale: number;

  constructor(
    private readonly table: Table,
    scaled: boolean,
  ) {
    const root = Math.fround(Math.sqrt(table.hiddenSize));
    // The published models multiply by √hiddenSize as their weights' type has it; float16 ones are raised to float32
    // for training.
    this.scale = !scaled
      ? 1
      : "type" in table.storage && table.storage.type === "bfloat16"
        ? roundToBfloat16(root)
        : root;
  }

  get trained(): boolean {
    return this.table.trained;
  }

  /** Embedded tokens [T, hiddenSize], scaled. */
  async embed(tokens: Int32Array): Promise<DeviceArray> {
    const { device, storage, hiddenSize } = this.table;
    if (device.memory !== "host") {
      const program = await this.table.program("embed", (graph, table) => {
        graph.output("states", this.embedded(graph, table));
      });
      return (await program.run({ table: this.table.array, tokens: device.array(tokens, [tokens.length]) }))["states"]!;
    }
    const states = new Float32Array(tokens.length * hiddenSize);
    if ("parameter" in storage) {
      const table = storage.parameter.array.data as Float32Array;
      tokens.forEach((token, at) => {
        for (let i = 0; i < hiddenSize; i++) states[at * hiddenSize + i] = table[token * hiddenSize + i]! * this.scale;
      });
    } else {
      const { type, words } = storage;
      tokens.forEach((token, at) => {
        const row = words.subarray(token * hiddenSize, (token + 1) * hiddenSize);
        const bytes = new Uint8Array(row.buffer, row.byteOffset, row.byteLength);
        expandToFloat32(bytes, type === "bfloat16" ? "BF16" : "F16", states, at * hiddenSize);
      });
      if (this.scale !== 1) for (let i = 0; i < states.length; i++) states[i]! *= this.scale;
    }
    return device.array(states, [tokens.length, hiddenSize]);
  }

  /**
   * The table's gradient, given what flows back into the embedded tokens.
   * @param dTable what has flowed back into it from elsewhere, to be added to: it is given back, or freed
   */
  async gradient(dTable: DeviceArray | undefined, tokens: Int32Array, dStates: DeviceArray): Promise<DeviceArray> {
    const { device, vocabSize, hiddenSize } = this.table;
    if (device.memory === "host") {
      const whole = dTable ?? device.zeros([vocabSize, hiddenSize]);
      const [sum, from] = [whole.data as Float32Array, dStates.data as Float32Array];
      tokens.forEach((token, row) => {
        for (let i = 0; i < hiddenSize; i++) sum[token * hiddenSize + i]! += this.scale * from[row * hiddenSize + i]!;
      });
      return whole;
    }
    const program = await this.table.program("back to embedded", (graph, table) => {
      const dOutput = graph.input("dStates", "float32", ["T", hiddenSize]);
      graph.output("dTable", gradientsFrom([this.embedded(graph, table)], [dOutput], [table])[0]!);
    });
    const feeds = { table: this.table.array, tokens: device.array(tokens, [tokens.length]), dStates };
    const own = (await program.run(feeds))["dTable"]!;
    return dTable ? device.add(dTable, own) : own;
  }

  dispose(): Promise<void> {
    return this.table.dispose();
  }

  private embedded(graph: GraphBuilder, table: Value): Value {
    const rows = gather(table, graph.input("tokens", "int32", ["T"]));
    return this.scale === 1 ? rows : mul(rows, this.scale);
  }
}
