import type { Device, DeviceArray, GraphBuilder, Program } from "../../graph/index.js";
import { Compiled } from "../compiled.js";
import type { Continuation, NextLogits, StartOptions } from "../generate.js";
import { type CompiledGraph, compileGraph } from "../model-graph.js";
import { commonStart, packedPlace, packRows, statePlaces } from "../packing.js";
import type { Weights } from "../weights.js";
import { disposeRowFeeds, ropeFeeds, uploadedRowFeeds } from "./batch.js";
import type { DecoderConfig } from "./config.js";
import type { Embedding } from "./embedding.js";
import type { DecoderLayers } from "./layers.js";
import type { OutputLayer } from "./output-layer.js";
import { cacheGraph, endsGraph, growGraph, joinGraph, ROOM, stepGraph, tokenGraph } from "./step-on-device.js";
import { layerPrefix } from "./weight-shapes.js";

/** float32 [B, numKeyValueHeads, S, headDim] each: a layer's keys and values. */
interface Cache {
  readonly keys: DeviceArray;
  readonly values: DeviceArray;
}

/** A cache as the graphs take it. */
const before = ({ keys, values }: Cache): Record<string, DeviceArray> => ({
  "keys/before": keys,
  "values/before": values,
});

/** A batch between two tokens, all of it in the device's memory. */
interface State {
  /** By layer; where nothing will follow the prompts, of the last layer alone. */
  readonly caches: Map<number, Cache>;
  /** int32 [B]: the place of the next token in its row. */
  lengths: DeviceArray;
  /** Numbers of the rows, which the last norm reads by. */
  readonly rows: DeviceArray;
  /** What `tokenGraph` reads for each of `room` places. */
  places: Readonly<Record<string, DeviceArray>>;
  room: number;
}

/**
 * Generation with a decoder-only model in a device's memory: keys and values stay there, masks, cosines and sines are
 * made there. For each token its number is sent, and what is asked of its logits is read.
 */
export class GenerationOnDevice {
  private readonly steps: Compiled<CompiledGraph>;
  private readonly programs: Compiled<Program>;

  constructor(
    private readonly weights: Weights,
    private readonly layers: DecoderLayers,
    private readonly embedding: Embedding,
    private readonly output: OutputLayer,
    private readonly config: DecoderConfig,
  ) {
    this.steps = new Compiled(weights);
    this.programs = new Compiled(weights);
  }

  private get device(): Device {
    return this.weights.device;
  }

  /**
   * Reads prompts in passes, and gives the logits after them.
   * @param passes the first row of each pass, and the row behind its last
   */
  async start(
    prompts: readonly (readonly number[])[],
    passes: readonly (readonly [first: number, end: number])[],
    { signal, maximumNewTokens }: StartOptions,
  ): Promise<Continuation> {
    const { device, config } = this;
    const last = config.numHiddenLayers - 1;
    let longest = Math.max(...prompts.map((prompt) => prompt.length));
    const room = longest + Math.min(ROOM, Math.max(0, maximumNewTokens - 1));
    const lastPlaces = Int32Array.from(prompts, (prompt) => prompt.length - 1);
    const state: State = {
      caches: new Map(),
      lengths: await device.upload(device.array(lastPlaces, [prompts.length]), "lengths"),
      rows: await device.upload(device.array(Int32Array.from(prompts.keys()), [prompts.length]), "rows"),
      places: await this.places(room),
      room,
    };
    let ends: DeviceArray | undefined;
    try {
      for (const [first, end] of passes) {
        if (first > 0) await new Promise((resolve) => setImmediate(resolve));
        signal?.throwIfAborted();
        const own = await this.read(prompts.slice(first, end), state, maximumNewTokens > 1);
        ends = ends ? await this.joined("states", [config.hiddenSize], ends, own) : own;
      }
      // Of the last layer only what follows the prompts is wanted: it goes the way of a further token.
      const feeds = await this.nextToken(state);
      const states = await this.step(ends!, last, state, feeds);
      this.free(feeds);
      return {
        first: await this.logitsAt(states, state),
        next: async (tokens) => {
          if (longest >= state.room) await this.grow(state);
          const feeds = await this.nextToken(state);
          let states = await this.embedding.embed(Int32Array.from(tokens));
          for (let index = 0; index <= last; index++) states = await this.step(states, index, state, feeds);
          this.free(feeds);
          longest++;
          return this.logitsAt(states, state);
        },
        dispose: () => this.disposeOf(state),
      };
    } catch (error) {
      if (ends) device.dispose(ends);
      this.disposeOf(state);
      throw error;
    }
  }

  async dispose(): Promise<void> {
    await this.steps.dispose();
    await this.programs.dispose();
  }

  /**
   * One pass over some prompts: puts their rows into the caches behind those that are there, and gives the prompts'
   * last states as they enter the last layer [rows, hiddenSize].
   */
  private async read(prompts: readonly (readonly number[])[], state: State, continues: boolean): Promise<DeviceArray> {
    const { config, device, layers } = this;
    const packed = packRows(prompts, commonStart(prompts));
    const rows = await uploadedRowFeeds(device, packed, config);
    const upload = (places: Int32Array, shape: number[]): Promise<DeviceArray> =>
      device.upload(device.array(places, shape), "places");
    const places = await upload(statePlaces({ ...packed, longest: state.room }), [packed.rows, state.room]);
    const ends = await upload(
      Int32Array.from(packed.lengths, (length, row) => packedPlace(packed, row, length - 1)),
      [packed.rows],
    );
    let states = await this.embedding.embed(packed.tokens);
    const last = config.numHiddenLayers - 1;
    for (let index = 0; index < last; index++) {
      const input = states;
      if (continues) {
        const made = await layers.forwardWithKeys(input, index, rows);
        await this.fill(state, index, made, places);
        states = made.states;
      } else states = await layers.forward(input, index, rows);
      device.dispose(input);
    }
    await this.fill(state, last, await layers.keysAndValues(states, last, rows), places);
    const made = await (await this.program("ends", () => endsGraph(config))).run({ states, places: ends });
    for (const array of [states, places, ends]) device.dispose(array);
    disposeRowFeeds(device, rows);
    return made["ends"]!;
  }

  /** Puts the keys and values of packed tokens into a layer's cache, behind the rows that are there; frees them. */
  private async fill(state: State, index: number, { keys, values }: Cache, places: DeviceArray): Promise<void> {
    const { numKeyValueHeads, headDim } = this.config;
    const program = await this.program("cache", () => cacheGraph(this.config));
    const own = await program.run({ "keys/packed": keys, "values/packed": values, places });
    for (const array of [keys, values]) this.device.dispose(array);
    const there = state.caches.get(index);
    const rest = [numKeyValueHeads, "S", headDim];
    const joined = (first: DeviceArray | undefined, second: DeviceArray): Promise<DeviceArray> | DeviceArray =>
      first ? this.joined("cache", rest, first, second) : second;
    state.caches.set(index, {
      keys: await joined(there?.keys, own["keys"]!),
      values: await joined(there?.values, own["values"]!),
    });
  }

  /** Two arrays one behind the other, which are freed. */
  private async joined(
    what: string,
    rest: readonly (number | string)[],
    first: DeviceArray,
    second: DeviceArray,
  ): Promise<DeviceArray> {
    const { both } = await (await this.program(`join ${what}`, () => joinGraph(rest))).run({ first, second });
    for (const array of [first, second]) this.device.dispose(array);
    return both!;
  }

  /** What all layers read for the token behind the rows, which are a place longer then. */
  private async nextToken(state: State): Promise<Record<string, DeviceArray>> {
    const program = await this.program("token", () => tokenGraph(this.config, new Set(this.config.layerTypes)));
    const { next, ...feeds } = await program.run({ ...state.places, lengths: state.lengths });
    this.device.dispose(state.lengths);
    state.lengths = next!;
    return feeds;
  }

  /** One token of each row through a layer, whose cache has its key and value then. */
  private async step(
    states: DeviceArray,
    index: number,
    state: State,
    feeds: Readonly<Record<string, DeviceArray>>,
  ): Promise<DeviceArray> {
    const { config, layers, weights } = this;
    const type = config.layerTypes[index]!;
    const first = layers.firstOfKind(index);
    const { graph, program } = await this.steps.get(String(first), () =>
      compileGraph(stepGraph(weights, config, first)),
    );
    const cache = state.caches.get(index)!;
    const { output, keys, values } = await program.run({
      ...graph.feeds((name) => name.replace(layerPrefix(config, first), layerPrefix(config, index))),
      states,
      own: feeds["own"]!,
      cos: feeds[`cos/${type}`]!,
      sin: feeds[`sin/${type}`]!,
      mask: feeds[`mask/${type}`]!,
      ...before(cache),
    });
    for (const array of [states, cache.keys, cache.values]) this.device.dispose(array);
    state.caches.set(index, { keys: keys!, values: values! });
    return output!;
  }

  private async logitsAt(states: DeviceArray, { rows }: State): Promise<NextLogits> {
    const normed = await this.layers.finalNorm(states, rows);
    const logits = await this.output.logits(normed);
    for (const array of [states, normed]) this.device.dispose(array);
    return logits;
  }

  /** Numbers, cosines and sines of so many places. */
  private async places(room: number): Promise<Record<string, DeviceArray>> {
    const { config, device } = this;
    const numbers = Int32Array.from({ length: room }, (_, place) => place);
    const ropes = ropeFeeds(device, numbers, config);
    const made = { places: await device.upload(device.array(numbers, [room]), "places") };
    for (const type of new Set(config.layerTypes))
      for (const part of ["cos", "sin"] as const)
        Object.assign(made, {
          [`${part}/${type}/table`]: await device.upload(ropes[type][part], `${part} of ${room} places`),
        });
    return made;
  }

  private async grow(state: State): Promise<void> {
    const program = await this.program("grow", () => growGraph(this.config));
    for (const [index, cache] of state.caches) {
      const { keys, values } = await program.run(before(cache));
      for (const array of Object.values(cache)) this.device.dispose(array);
      state.caches.set(index, { keys: keys!, values: values! });
    }
    state.room += ROOM;
    this.free(state.places);
    state.places = await this.places(state.room);
  }

  private free(arrays: Readonly<Record<string, DeviceArray>>): void {
    for (const array of Object.values(arrays)) this.device.dispose(array);
  }

  private disposeOf(state: State): void {
    for (const array of [state.lengths, state.rows]) this.device.dispose(array);
    this.free(state.places);
    for (const { keys, values } of state.caches.values()) this.free({ keys, values });
    state.caches.clear();
  }

  private program(name: string, build: () => GraphBuilder): Promise<Program> {
    return this.programs.get(name, () => this.device.compile(build()));
  }
}
