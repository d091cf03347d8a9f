import {
  add,
  concat,
  crossEntropy,
  type DeviceArray,
  type GraphBuilder,
  gradientsFrom,
  matmul,
  reduceSum,
  softcap,
  transpose,
  type Value,
} from "../../graph/index.js";
import { DeviceLogits } from "../device-logits.js";
import type { NextLogits } from "../generate.js";
import type { Table } from "./table.js";

/** Loss at some positions, with what flows back from it. */
export interface HeadLoss {
  /** float32 without axes */
  readonly loss: DeviceArray;
  /** float32 [M, hiddenSize] */
  readonly dStates?: DeviceArray;
  /** float32 [vocabSize, hiddenSize], where the table is trained */
  readonly dTable?: DeviceArray;
}

/**
 * From states to logits, by the embedding's table or one of its own. On the CPU logits are made a stretch of the
 * vocabulary at a time, so that a table of 256,000 bfloat16 words never stands in memory as float32; on a device in
 * one program, from as many stretches as the table lies there in.
 */
export class OutputLayer {
  /** Raw logits on the CPU, done with before the next are made. */
  private memory = new Float32Array(0);
  private readonly deviceLogits: DeviceLogits;

  /** @param cap the logits' soft cap, or null */
  constructor(
    private readonly table: Table,
    private readonly cap: number | null,
  ) {
    this.deviceLogits = new DeviceLogits(table.device);
  }

  /** The summed loss of labels [M] at normed states [M, hiddenSize], and its gradient times `scale` where one is given. */
  async loss(states: DeviceArray, labels: DeviceArray, scale?: DeviceArray): Promise<HeadLoss> {
    const { device } = this.table;
    if (device.memory !== "host") return this.lossOnDevice(states, labels, scale);
    const { vocabSize } = this.table;
    const raw = await this.rawLogits(states);
    const program = await this.table.program(
      scale ? "loss and gradient" : "loss",
      (graph) => {
        const logits = graph.input("raw", "float32", [vocabSize, "M"]);
        const loss = reduceSum(crossEntropy(this.capped(logits), graph.input("labels", "int32", ["M"])));
        graph.output("loss", loss);
        if (scale) graph.output("dRaw", gradientsFrom([loss], [graph.input("scale", "float32", [])], [logits])[0]!);
      },
      { readsTable: false },
    );
    const { loss, dRaw } = await program.run(scale ? { raw, labels, scale } : { raw, labels });
    device.dispose(raw);
    return dRaw ? { loss: loss!, ...(await this.back(states, dRaw)) } : { loss: loss! };
  }

  /** Logits at normed states [M, hiddenSize], row by row. */
  async logits(states: DeviceArray): Promise<NextLogits> {
    const onHost = this.table.device.memory === "host";
    return this.deviceLogits.of(await (onHost ? this.cappedLogits(states) : this.logitsOnDevice(states)));
  }

  async dispose(): Promise<void> {
    await this.table.dispose();
    await this.deviceLogits.dispose();
    this.memory = new Float32Array(0);
  }

  /** On the CPU. */
  private async cappedLogits(states: DeviceArray): Promise<DeviceArray> {
    const { device, vocabSize } = this.table;
    const raw = await this.rawLogits(states);
    const program = await this.table.program(
      "logits",
      (graph) => graph.output("logits", this.capped(graph.input("raw", "float32", [vocabSize, "M"]))),
      { readsTable: false },
    );
    const { logits } = await program.run({ raw });
    device.dispose(raw);
    return logits!;
  }

  /** Raw logits [vocabSize, M] as they are read: row by row, capped. */
  private capped(raw: Value): Value {
    return this.cap === null ? transpose(raw, [1, 0]) : softcap(transpose(raw, [1, 0]), this.cap);
  }

  private async lossOnDevice(states: DeviceArray, labels: DeviceArray, scale?: DeviceArray): Promise<HeadLoss> {
    const { trained } = this.table;
    const program = await this.table.program(
      scale ? "loss and gradient" : "loss",
      (graph) => {
        const { states, tables, raw, logits } = this.wholeLogits(graph);
        const loss = reduceSum(crossEntropy(logits, graph.input("labels", "int32", ["M"])));
        graph.output("loss", loss);
        if (!scale) return;
        const flowing = gradientsFrom([loss], [graph.input("scale", "float32", [])], raw);
        const back = flowing.map((d, i) => matmul(d, tables[i]!));
        graph.output(
          "dStates",
          back.reduce((sum, one) => add(sum, one)),
        );
        if (trained) graph.output("dTable", matmul(flowing[0]!, states, { transA: true }));
      },
      { readsTable: false },
    );
    const feeds = { ...(await this.tables()), states, labels };
    const { loss, dStates, dTable } = await program.run(scale ? { ...feeds, scale } : feeds);
    return { loss: loss!, dStates, dTable };
  }

  private async logitsOnDevice(states: DeviceArray): Promise<DeviceArray> {
    const program = await this.table.program(
      "logits",
      (graph) => graph.output("logits", this.wholeLogits(graph).logits),
      { readsTable: false },
    );
    return (await program.run({ ...(await this.tables()), states }))["logits"]!;
  }

  /** Capped logits [M, vocabSize] in a graph of a device, from the stretches that the table lies in. */
  private wholeLogits(graph: GraphBuilder): { states: Value; tables: Value[]; raw: Value[]; logits: Value } {
    const { hiddenSize, stretches } = this.table;
    const states = graph.input("states", "float32", ["M", hiddenSize]);
    const tables = stretches.map((rows, i) => graph.input(`table${i}`, "float32", [rows, hiddenSize]));
    const raw = tables.map((table) => matmul(states, table, { transB: true }));
    const whole = concat(raw, 1);
    return { states, tables, raw, logits: this.cap === null ? whole : softcap(whole, this.cap) };
  }

  private async tables(): Promise<Record<string, DeviceArray>> {
    return Object.fromEntries((await this.table.onDevice()).map((array, i) => [`table${i}`, array]));
  }

  /**
   * On the CPU, from the gradient of raw logits [vocabSize, M], which is freed, to that of the states and of the table
   * where it is trained.
   */
  private async back(states: DeviceArray, dRaw: DeviceArray): Promise<Pick<HeadLoss, "dStates" | "dTable">> {
    const { device, vocabSize, hiddenSize, trained } = this.table;
    const rows = states.shape[0]!;
    let dStates = device.zeros([rows, hiddenSize]);
    const dTable = trained ? device.zeros([vocabSize, hiddenSize]) : undefined;
    const back = await this.table.program(trained ? "back to states and table" : "back to states", (graph, table) => {
      const d = graph.input("dRaw", "float32", [table.dimension(0), "M"]);
      graph.output(
        "dStates",
        add(graph.input("before", "float32", ["M", hiddenSize]), matmul(d, table, { transA: true })),
      );
      if (trained) graph.output("dTable", matmul(d, graph.input("states", "float32", ["M", hiddenSize])));
    });
    const part = (whole: DeviceArray, start: number, end: number, columns: number): DeviceArray =>
      device.array((whole.data as Float32Array).subarray(start * columns, end * columns), [end - start, columns]);
    for (const [start, end, table] of this.table.chunks()) {
      const d = part(dRaw, start, end, rows);
      const into = dTable && { dTable: part(dTable, start, end, hiddenSize) };
      const made = await back.run({ table, dRaw: d, before: dStates, ...(trained ? { states } : {}) }, { into });
      dStates = made["dStates"]!;
    }
    device.dispose(dRaw);
    return { dStates, dTable };
  }

  /** On the CPU, logits before the cap, [vocabSize, M]: words first, so that a stretch of the vocabulary lies together. */
  private async rawLogits(states: DeviceArray): Promise<DeviceArray> {
    const { device, vocabSize, hiddenSize } = this.table;
    const rows = states.shape[0]!;
    const program = await this.table.program("raw logits", (graph, table) => {
      graph.output("raw", matmul(table, graph.input("states", "float32", ["M", hiddenSize]), { transB: true }));
    });
    if (this.memory.length < vocabSize * rows) this.memory = new Float32Array(vocabSize * rows);
    const raw = this.memory.subarray(0, vocabSize * rows);
    for (const [start, end, table] of this.table.chunks()) {
      const into = { raw: device.array(raw.subarray(start * rows, end * rows), [end - start, rows]) };
      await program.run({ table, states }, { into });
    }
    return device.array(raw, [vocabSize, rows]);
  }
}
