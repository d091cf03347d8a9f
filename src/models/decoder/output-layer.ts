import {
  add,
  crossEntropy,
  type DeviceArray,
  gradientsFrom,
  matmul,
  reduceSum,
  softcap,
  transpose,
  type Value,
} from "../../graph/index.js";
import type { NextLogits } from "../generate.js";
import type { Table } from "./table.js";

/** Loss at some positions, with what flows back from it. */
export interface HeadLoss {
  readonly lossSum: number;
  /** float32 [M, hiddenSize] */
  readonly dStates?: DeviceArray;
  /** float32 [vocabSize, hiddenSize], where the table is trained */
  readonly dTable?: DeviceArray;
}

/**
 * From states to logits, by the embedding's table or one of its own. On the CPU logits are made a stretch of the
 * vocabulary at a time, so that a table of 256,000 bfloat16 words never stands in memory as float32.
 */
export class OutputLayer {
  /** Raw logits on the CPU, done with before the next are made. */
  private memory = new Float32Array(0);

  /** @param cap the logits' soft cap, or null */
  constructor(
    private readonly table: Table,
    private readonly cap: number | null,
  ) {}

  /** The summed loss of labels at normed states [M, hiddenSize], and its gradient times `scale` where one is given. */
  async loss(states: DeviceArray, labels: Int32Array, scale?: number): Promise<HeadLoss> {
    const { device, vocabSize } = this.table;
    const raw = await this.rawLogits(states);
    const withGradient = scale !== undefined;
    const program = await this.table.program(
      withGradient ? "loss and gradient" : "loss",
      (graph) => {
        const logits = graph.input("raw", "float32", [vocabSize, "M"]);
        const loss = reduceSum(crossEntropy(this.capped(logits), graph.input("labels", "int32", ["M"])));
        graph.output("loss", loss);
        if (withGradient)
          graph.output("dRaw", gradientsFrom([loss], [graph.input("scale", "float32", [])], [logits])[0]!);
      },
      { readsTable: false },
    );
    const feeds = { raw, labels: device.array(labels, [labels.length]) };
    const { loss, dRaw } = await program.run(
      withGradient ? { ...feeds, scale: device.array(Float32Array.of(scale), []) } : feeds,
    );
    device.dispose(raw);
    const lossSum = ((await device.read(loss!)) as Float32Array)[0]!;
    device.dispose(loss!);
    return dRaw ? { lossSum, ...(await this.back(states, dRaw)) } : { lossSum };
  }

  /** Logits at normed states [M, hiddenSize], row by row. */
  async logits(states: DeviceArray): Promise<NextLogits> {
    const { device, vocabSize } = this.table;
    const rows = states.shape[0]!;
    const raw = await this.rawLogits(states);
    const program = await this.table.program(
      "logits",
      (graph) => graph.output("logits", this.capped(graph.input("raw", "float32", [vocabSize, "M"]))),
      { readsTable: false },
    );
    const { logits } = await program.run({ raw });
    device.dispose(raw);
    const values = (await device.read(logits!)) as Float32Array;
    device.dispose(logits!);
    return { rows, vocabulary: vocabSize, values };
  }

  async dispose(): Promise<void> {
    await this.table.dispose();
    this.memory = new Float32Array(0);
  }

  /** Raw logits [vocabSize, M] as they are read: row by row, capped. */
  private capped(raw: Value): Value {
    const logits = transpose(raw, [1, 0]);
    return this.cap === null ? logits : softcap(logits, this.cap);
  }

  /**
   * From the gradient of raw logits [vocabSize, M], which is freed, to that of the states and of the table where it is
   * trained.
   */
  private async back(states: DeviceArray, dRaw: DeviceArray): Promise<Pick<HeadLoss, "dStates" | "dTable">> {
    const { device, vocabSize, hiddenSize, trained } = this.table;
    const rows = states.shape[0]!;
    let dStates = device.zeros([rows, hiddenSize]);
    let dTable = trained && device.memory === "host" ? device.zeros([vocabSize, hiddenSize]) : undefined;
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
      const d = start === 0 && end === vocabSize ? dRaw : part(dRaw, start, end, rows);
      const into = dTable && { dTable: part(dTable, start, end, hiddenSize) };
      const made = await back.run({ table, dRaw: d, before: dStates, ...(trained ? { states } : {}) }, { into });
      dStates = made["dStates"]!;
      if (!into) dTable = made["dTable"];
    }
    device.dispose(dRaw);
    return { dStates, dTable };
  }

  /** Logits before the cap, [vocabSize, M]: words first, so that a stretch of the vocabulary lies together. */
  private async rawLogits(states: DeviceArray): Promise<DeviceArray> {
    const { device, vocabSize, hiddenSize } = this.table;
    const rows = states.shape[0]!;
    const program = await this.table.program("raw logits", (graph, table) => {
      graph.output("raw", matmul(table, graph.input("states", "float32", ["M", hiddenSize]), { transB: true }));
    });
    if (device.memory !== "host") return (await program.run({ table: this.table.array, states }))["raw"]!;
    if (this.memory.length < vocabSize * rows) this.memory = new Float32Array(vocabSize * rows);
    const raw = this.memory.subarray(0, vocabSize * rows);
    for (const [start, end, table] of this.table.chunks()) {
      const into = { raw: device.array(raw.subarray(start * rows, end * rows), [end - start, rows]) };
      await program.run({ table, states }, { into });
    }
    return device.array(raw, [vocabSize, rows]);
  }
}
