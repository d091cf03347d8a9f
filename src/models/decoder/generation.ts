import {
  add,
  concat,
  type Device,
  type DeviceArray,
  matmul,
  reshape,
  softmax,
  split,
  type Value,
} from "../../graph/index.js";
import { Compiled } from "../compiled.js";
import type { Continuation, StartOptions } from "../generate.js";
import { type CompiledGraph, compileGraph, ModelGraph } from "../model-graph.js";
import { commonStart, MASKED, packedPlace, packRows } from "../packing.js";
import type { Weights } from "../weights.js";
import { checkTokens, disposeRowFeeds, ropeFeeds, uploadedRowFeeds } from "./batch.js";
import type { DecoderConfig, LayerType } from "./config.js";
import type { Embedding } from "./embedding.js";
import { GenerationOnDevice } from "./generation-on-device.js";
import { afterAttention, cappedScores, queriesKeysValues } from "./layer.js";
import type { DecoderLayers } from "./layers.js";
import type { OutputLayer } from "./output-layer.js";
import { layerPrefix } from "./weight-shapes.js";

interface Cache {
  /** float32 [rows, numKeyValueHeads, room, headDim] each */
  keys: Float32Array;
  values: Float32Array;
}

/** Places that a cache grows by. */
const ROOM = 32;

/**
 * Tokens of prompts that are read in one pass: stored weights are expanded once for all of them, and their states bound
 * its memory.
 */
const PASS = 4096;

/** The first row of each pass over prompts of these lengths, and the row behind its last. */
function passesOf(lengths: readonly number[]): (readonly [first: number, end: number])[] {
  const passes: (readonly [number, number])[] = [];
  for (let row = 0, end = 0; row < lengths.length; row = end) {
    for (let tokens = 0; end < lengths.length && (end === row || tokens + lengths[end]! <= PASS); end++)
      tokens += lengths[end]!;
    passes.push([row, end]);
  }
  return passes;
}

/**
 * Generation with a decoder-only model: one pass over the prompts, without padding, fills the cache of keys and values;
 * each further token of a row is one more pass over that token alone. Here the cache lies in the machine's memory; a
 * device with its own keeps it there.
 */
export class DecoderGeneration {
  private readonly programs: Compiled<CompiledGraph>;
  private readonly onDevice: GenerationOnDevice | undefined;
  /** Memory of caches that are done with: the next batch's are mostly of like size. */
  private spare: Float32Array[] = [];

  constructor(
    private readonly weights: Weights,
    private readonly layers: DecoderLayers,
    private readonly embedding: Embedding,
    private readonly output: OutputLayer,
    private readonly config: DecoderConfig,
  ) {
    this.programs = new Compiled(weights);
    if (weights.device.memory === "device")
      this.onDevice = new GenerationOnDevice(weights, layers, embedding, output, config);
  }

  private get device(): Device {
    return this.weights.device;
  }

  /** Reads the prompts, {@link PASS} tokens at once, and gives the logits after them. */
  async start(prompts: readonly (readonly number[])[], options: StartOptions): Promise<Continuation> {
    const { config } = this;
    prompts.forEach((prompt, row) => checkTokens(`${row} of the batch`, prompt, config));
    const lengths = prompts.map((prompt) => prompt.length);
    const passes = passesOf(lengths);
    if (this.onDevice) return this.onDevice.start(prompts, passes, options);
    let room = Math.max(...lengths) + ROOM;
    const caches = Array.from(
      { length: config.numHiddenLayers },
      (): Cache => ({ keys: this.emptyCache(prompts.length, room), values: this.emptyCache(prompts.length, room) }),
    );
    const lastStates = new Float32Array(prompts.length * config.hiddenSize);
    for (const [row, end] of passes) {
      // Signals get their turn: a pass blocks the event loop on the CPU.
      if (row > 0) await new Promise((resolve) => setImmediate(resolve));
      options.signal?.throwIfAborted();
      lastStates.set(await this.read(prompts.slice(row, end), row, caches, room), row * config.hiddenSize);
    }
    // Of the last layer only what follows the prompts is wanted: it goes the way of a further token.
    const before = lengths.map((length) => length - 1);
    const states = await this.step(
      this.device.array(lastStates, [prompts.length, config.hiddenSize]),
      config.numHiddenLayers - 1,
      caches.at(-1)!,
      before,
      room,
      this.stepFeeds(before, room),
    );
    return {
      first: await this.logitsAt(states, Int32Array.from(lengths.keys())),
      next: async (tokens) => {
        if (Math.max(...lengths) >= room) {
          for (const cache of caches) this.grow(cache, prompts.length, room);
          room += ROOM;
        }
        let states = await this.embedding.embed(Int32Array.from(tokens));
        const feeds = this.stepFeeds(lengths, room);
        for (let index = 0; index < config.numHiddenLayers; index++)
          states = await this.step(states, index, caches[index]!, lengths, room, feeds);
        lengths.forEach((_, row) => lengths[row]!++);
        return this.logitsAt(states, Int32Array.from(tokens.keys()));
      },
      dispose: () => {
        this.spare = caches.splice(0).flatMap(({ keys, values }) => [keys, values]);
      },
    };
  }

  /**
   * One pass over some prompts: fills the rows of the caches from `firstRow` on, and gives the prompts' last states as
   * they enter the last layer [rows, hiddenSize].
   */
  private async read(
    prompts: readonly (readonly number[])[],
    firstRow: number,
    caches: readonly Cache[],
    room: number,
  ): Promise<Float32Array> {
    const { config, device } = this;
    const packed = packRows(prompts, commonStart(prompts));
    const rows = await uploadedRowFeeds(device, packed, config);
    let states = await this.embedding.embed(packed.tokens);
    const into = this.keysAndValues(packed.total);
    const last = config.numHiddenLayers - 1;
    for (let index = 0; index <= last; index++) {
      const made =
        index < last
          ? await this.layers.forwardWithKeys(states, index, rows, into)
          : { states, ...(await this.layers.keysAndValues(states, index, rows, into)) };
      if (index < last) device.dispose(states);
      states = made.states;
      for (const part of ["keys", "values"] as const) {
        const elements = (await device.read(made[part])) as Float32Array;
        packed.lengths.forEach((length, row) => {
          for (let place = 0; place < length; place++)
            this.put(caches[index]![part], elements, packedPlace(packed, row, place), firstRow + row, place, room);
        });
        device.dispose(made[part]);
      }
    }
    const elements = (await device.read(states)) as Float32Array;
    const ends = new Float32Array(packed.rows * config.hiddenSize);
    packed.lengths.forEach((length, row) => {
      const start = packedPlace(packed, row, length - 1) * config.hiddenSize;
      ends.set(elements.subarray(start, start + config.hiddenSize), row * config.hiddenSize);
    });
    device.dispose(states);
    disposeRowFeeds(device, rows);
    return ends;
  }

  async dispose(): Promise<void> {
    await this.programs.dispose();
    await this.onDevice?.dispose();
    this.spare = [];
  }

  /** On the CPU one memory for the keys and values of all layers, which are copied from it. */
  private keysAndValues(tokens: number): Record<string, DeviceArray> | undefined {
    if (this.device.memory !== "host") return undefined;
    const shape = [tokens, this.config.numKeyValueHeads * this.config.headDim];
    return { keys: this.device.zeros(shape), values: this.device.zeros(shape) };
  }

  private async logitsAt(states: DeviceArray, places: Int32Array) {
    const normed = await this.layers.finalNorm(states, this.device.array(places, [places.length]));
    const logits = await this.output.logits(normed);
    for (const array of [states, normed]) this.device.dispose(array);
    return logits;
  }

  /** One token of each row through a layer; its key and value are put into the cache. */
  private async step(
    states: DeviceArray,
    index: number,
    cache: Cache,
    lengths: readonly number[],
    room: number,
    feeds: ReturnType<DecoderGeneration["stepFeeds"]>,
  ): Promise<DeviceArray> {
    const { numKeyValueHeads, headDim } = this.config;
    const { graph, program } = await this.compiled(index);
    const shape = [lengths.length, numKeyValueHeads, room, headDim];
    const made = await program.run({
      ...graph.feeds((name) =>
        name.replace(layerPrefix(this.config, this.representative(index)), layerPrefix(this.config, index)),
      ),
      ...feeds[this.config.layerTypes[index]!],
      states,
      keyCache: this.device.array(cache.keys, shape),
      valueCache: this.device.array(cache.values, shape),
    });
    this.device.dispose(states);
    for (const [into, name] of [
      [cache.keys, "keys"],
      [cache.values, "values"],
    ] as const) {
      const elements = (await this.device.read(made[name]!)) as Float32Array;
      lengths.forEach((length, row) => this.put(into, elements, row, row, length, room));
      this.device.dispose(made[name]!);
    }
    return made["output"]!;
  }

  /** The mask, cosines and sines of each type of layer for one token more of each row. */
  private stepFeeds(lengths: readonly number[], room: number): Record<LayerType, Record<string, DeviceArray>> {
    const { config, device } = this;
    const ropes = ropeFeeds(device, lengths, config);
    const mask = (window: number | null): DeviceArray => {
      const values = new Float32Array(lengths.length * (room + 1)).fill(MASKED);
      lengths.forEach((length, row) => {
        const from = window === null ? 0 : Math.max(0, length - window + 1);
        values.fill(0, row * (room + 1) + from, row * (room + 1) + length);
        // The last place is the token itself.
        values[(row + 1) * (room + 1) - 1] = 0;
      });
      return device.array(values, [lengths.length, 1, 1, room + 1]);
    };
    return {
      full_attention: { ...ropes.full_attention, mask: mask(null) },
      sliding_attention: { ...ropes.sliding_attention, mask: mask(config.slidingWindow) },
    };
  }

  private compiled(index: number): Promise<CompiledGraph> {
    const first = this.representative(index);
    return this.programs.get(String(first), () => this.compile(first));
  }

  private representative(index: number): number {
    return this.layers.firstOfKind(index);
  }

  /** One token of each row B against the cache of S places and itself. */
  private compile(index: number): Promise<CompiledGraph> {
    const { config } = this;
    const { numAttentionHeads: heads, numKeyValueHeads, headDim, hiddenSize } = config;
    const group = heads / numKeyValueHeads;
    const graph = new ModelGraph("decoder.step", this.weights);
    const states = graph.input("states", "float32", ["B", hiddenSize]);
    const [cos, sin] = [
      graph.input("cos", "float32", ["B", 1, headDim / 2]),
      graph.input("sin", "float32", ["B", 1, headDim / 2]),
    ];
    const [keyCache, valueCache] = ["keyCache", "valueCache"].map((name) =>
      graph.input(name, "float32", ["B", numKeyValueHeads, "S", headDim]),
    ) as [Value, Value];
    const mask = graph.input("mask", "float32", ["B", 1, 1, "S1"]);
    const { queries, keys, values } = queriesKeysValues(
      graph,
      states,
      layerPrefix(this.config, index),
      { cos, sin },
      config,
    );
    const q = reshape(queries, ["B", numKeyValueHeads, group, headDim]);
    const own = (of: Value): Value => reshape(of, ["B", numKeyValueHeads, 1, headDim]);
    const scores = concat([matmul(q, keyCache, { transB: true }), matmul(q, own(keys), { transB: true })], 3, "S1");
    const weights = softmax(add(cappedScores(scores, config), mask));
    const [ofCache, ofOwn] = split(weights, 3, ["S", 1]) as [Value, Value];
    const mixed = reshape(add(matmul(ofCache, valueCache), matmul(ofOwn, own(values))), ["B", heads * headDim]);
    graph.builder.output("output", afterAttention(graph, states, mixed, layerPrefix(this.config, index), config));
    graph.builder.output("keys", keys);
    graph.builder.output("values", values);
    return compileGraph(graph);
  }

  private emptyCache(rows: number, room: number): Float32Array {
    const size = rows * this.config.numKeyValueHeads * room * this.config.headDim;
    const at = this.spare.findIndex(({ buffer }) => buffer.byteLength >= 4 * size);
    return at < 0 ? new Float32Array(size) : new Float32Array(this.spare.splice(at, 1)[0]!.buffer, 0, size).fill(0);
  }

  /** Puts the heads of the packed token `from` into a row's place of a cache. */
  private put(
    cache: Float32Array,
    elements: Float32Array,
    from: number,
    row: number,
    place: number,
    room: number,
  ): void {
    const { numKeyValueHeads, headDim } = this.config;
    for (let head = 0; head < numKeyValueHeads; head++) {
      const start = (from * numKeyValueHeads + head) * headDim;
      cache.set(elements.subarray(start, start + headDim), ((row * numKeyValueHeads + head) * room + place) * headDim);
    }
  }

  private grow(cache: Cache, rows: number, room: number): void {
    const { headDim, numKeyValueHeads } = this.config;
    for (const part of ["keys", "values"] as const) {
      const grown = this.emptyCache(rows, room + ROOM);
      for (let i = 0; i < rows * numKeyValueHeads; i++)
        grown.set(cache[part].subarray(i * room * headDim, (i + 1) * room * headDim), i * (room + ROOM) * headDim);
      cache[part] = grown;
    }
  }
}
