import {
  argmax,
  concat,
  type Device,
  type DeviceArray,
  full,
  GraphBuilder,
  type Program,
  reduceMax,
  reshape,
} from "../graph/index.js";
import { hostLogits, type NextLogits } from "./generate.js";

/** Logits that one thread of a GPU goes through: a row of a large vocabulary has hundreds of threads. */
const STRETCH = 512;

/** Less than any logit: fills the last stretch. */
const LEAST = -3.4e38;

/**
 * Logits where a device left them. Where that is its own memory, of the likeliest tokens the largest logit of each
 * stretch of the vocabulary is read, with its place there: a hundredth of them all.
 */
export class DeviceLogits {
  private readonly programs = new Map<number, Promise<Program>>();

  constructor(private readonly device: Device) {}

  /** @param logits float32 [rows, vocabulary], which are disposed of with what is given back */
  of(logits: DeviceArray): NextLogits {
    const { device } = this;
    const [rows, vocabulary] = logits.shape as [number, number];
    if (!logits.onDevice) return hostLogits(rows, vocabulary, logits.data as Float32Array);
    return {
      rows,
      vocabulary,
      values: async () => (await device.read(logits)) as Float32Array,
      largest: async () => {
        const { most, places } = await (await this.program(vocabulary)).run({ logits });
        return likeliest(rows, most!.data as Float32Array, places!.data as BigInt64Array);
      },
      dispose: () => device.dispose(logits),
    };
  }

  async dispose(): Promise<void> {
    const all = [...this.programs.values()];
    this.programs.clear();
    for (const one of await Promise.allSettled(all)) if (one.status === "fulfilled") await one.value.dispose();
  }

  private program(vocabulary: number): Promise<Program> {
    let program = this.programs.get(vocabulary);
    if (!program) {
      const graph = new GraphBuilder("largest-logits");
      const logits = graph.input("logits", "float32", ["B", vocabulary]);
      const stretches = Math.ceil(vocabulary / STRETCH);
      const missing = stretches * STRETCH - vocabulary;
      const filled = missing > 0 ? concat([logits, full(graph, ["B", missing], LEAST, "float32")], 1) : logits;
      const parts = reshape(filled, ["B", stretches, STRETCH]);
      graph.output("most", reduceMax(parts, [2]));
      graph.output("places", argmax(parts, 2));
      this.programs.set(vocabulary, (program = this.device.compile(graph, { keepOnDevice: false })));
    }
    return program;
  }
}

/** The first of the largest of each row, from the largest of its stretches and their places. */
function likeliest(rows: number, most: Float32Array, places: BigInt64Array): Int32Array {
  const stretches = most.length / rows;
  return Int32Array.from({ length: rows }, (_, row) => {
    let best = 0;
    for (let at = 1; at < stretches; at++) if (most[row * stretches + at]! > most[row * stretches + best]!) best = at;
    return best * STRETCH + Number(places[row * stretches + best]!);
  });
}
