import {
  type DeviceArray,
  full,
  type GraphBuilder,
  gather,
  mul,
  scatterAddRows,
  type Value,
} from "../../graph/index.js";
import type { Table, TableStorage } from "./table.js";

/** From tokens to states: rows of the table, multiplied by the root of their size where the architecture does so. */
export class Embedding {
  private readonly scale: number;

  constructor(
    private readonly table: Table,
    scaled: boolean,
  ) {
    // In float32, however the table is held: transformers multiplies by it as the type says in which the model
    // computes.
    this.scale = scaled ? Math.fround(Math.sqrt(table.hiddenSize)) : 1;
  }

  get trained(): boolean {
    return this.table.trained;
  }

  /** Embedded tokens [T, hiddenSize], scaled. */
  async embed(tokens: Int32Array): Promise<DeviceArray> {
    const { device, storage, hiddenSize } = this.table;
    if (device.memory !== "host") return this.embedOnDevice(tokens, storage);
    let states: Float32Array;
    if ("parameter" in storage) {
      states = new Float32Array(tokens.length * hiddenSize);
      const table = storage.parameter.array.data as Float32Array;
      tokens.forEach((token, at) => {
        for (let i = 0; i < hiddenSize; i++) states[at * hiddenSize + i] = table[token * hiddenSize + i]! * this.scale;
      });
    } else {
      states = this.table.lookUp(storage, tokens);
      if (this.scale !== 1) for (let i = 0; i < states.length; i++) states[i]! *= this.scale;
    }
    return device.array(states, [tokens.length, hiddenSize]);
  }

  /** Of a table that the device does not reach as a whole the rows that occur are sent, each once. */
  private async embedOnDevice(tokens: Int32Array, storage: TableStorage): Promise<DeviceArray> {
    const { device, hiddenSize } = this.table;
    const program = await this.table.program("embed", (graph, table) => {
      graph.output("states", this.embedded(graph, table));
    });
    const run = async (table: DeviceArray, rows: Int32Array): Promise<DeviceArray> =>
      (await program.run({ table, tokens: device.array(rows, [rows.length]) }))["states"]!;
    if ("parameter" in storage || this.table.stretches.length === 1)
      return run((await this.table.onDevice())[0]!, tokens);
    const distinct = Int32Array.from(new Set(tokens)).sort();
    const places = new Map(Array.from(distinct, (token, place) => [token, place]));
    const rows = device.array(this.table.lookUp(storage, distinct), [distinct.length, hiddenSize]);
    return run(
      rows,
      tokens.map((token) => places.get(token)!),
    );
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
    const adds = dTable !== undefined;
    const program = await this.table.program(
      `back to embedded${adds ? " and more" : ""}`,
      (graph) => {
        const dStates = graph.input("dStates", "float32", ["T", hiddenSize]);
        const before = adds
          ? graph.input("before", "float32", [vocabSize, hiddenSize])
          : full(graph, [vocabSize, hiddenSize], 0, "float32");
        const scaled = this.scale === 1 ? dStates : mul(dStates, this.scale);
        graph.output("dTable", scatterAddRows(before, graph.input("tokens", "int32", ["T"]), scaled));
      },
      { readsTable: false },
    );
    const feeds = { tokens: device.array(tokens, [tokens.length]), dStates };
    const made = await program.run(dTable ? { ...feeds, before: dTable } : feeds);
    if (dTable) device.dispose(dTable);
    return made["dTable"]!;
  }

  dispose(): Promise<void> {
    return this.table.dispose();
  }

  private embedded(graph: GraphBuilder, table: Value): Value {
    const rows = gather(table, graph.input("tokens", "int32", ["T"]));
    return this.scale === 1 ? rows : mul(rows, this.scale);
  }
}
