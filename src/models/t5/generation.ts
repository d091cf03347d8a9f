import { type Device, type DeviceArray, gather, reshape, split, type Value } from "../../graph/index.js";
import { Compiled } from "../compiled.js";
import { DeviceLogits } from "../device-logits.js";
import type { Continuation } from "../generate.js";
import { type CompiledGraph, compileGraph, ModelGraph } from "../model-graph.js";
import { packRows } from "../packing.js";
import type { Weights } from "../weights.js";
import { checkTokens, decoderFeeds, decoderInputs, encoderFeeds, encoderInputs } from "./batch.js";
import type { T5Config } from "./config.js";
import { type CrossSource, crossKeysAndValues, paddedStates, readsStates } from "./cross-attention.js";
import { decoder, logits } from "./decoder.js";
import { encoder } from "./encoder.js";

/**
 * Generation with T5: one run encodes the prompts and decodes the start token; each further run decodes one token of
 * every row, from the earlier tokens' keys and values. What cross-attention reads is computed once.
 */
export class T5Generation {
  private readonly programs: Compiled<CompiledGraph>;
  private readonly logits: DeviceLogits;

  constructor(
    private readonly weights: Weights,
    private readonly config: T5Config,
    private readonly tied: boolean,
  ) {
    this.programs = new Compiled(weights);
    this.logits = new DeviceLogits(weights.device);
  }

  private get device(): Device {
    return this.weights.device;
  }

  /** Reads the prompts and gives the logits of each row's first token. */
  async start(prompts: readonly (readonly number[])[]): Promise<Continuation> {
    const { config, device } = this;
    prompts.forEach((prompt, row) => checkTokens(`${row} of the batch`, prompt, config.vocabSize));
    const packed = packRows(prompts);
    const rows = prompts.length;
    const tokens = new Int32Array(packed.total + rows).fill(config.decoderStartTokenId);
    tokens.set(packed.tokens);
    const { graph, program } = await this.programs.get("first", () => compileGraph(this.firstGraph()));
    const feeds = encoderFeeds(device, packed, config);
    // Every token reads it.
    const keyMask = await device.upload(feeds["keyMask"]!, "keyMask");
    const outputs = await program.run({
      ...graph.feeds(),
      ...feeds,
      keyMask,
      ...decoderFeeds(device, 0, 1, config),
      tokens: device.array(tokens, [tokens.length]),
    });
    let state = without(outputs, "logits");
    let length = 1;
    return {
      first: this.logits.of(outputs["logits"]!),
      next: async (next) => {
        const { graph, program } = await this.programs.get("later", () => compileGraph(this.laterGraph()));
        const outputs = await program.run({
          ...graph.feeds(),
          ...state,
          ...decoderFeeds(device, length, 1, config),
          keyMask,
          tokens: device.array(Int32Array.from(next), [rows]),
        });
        length++;
        const presents = without(outputs, "logits");
        for (const name of Object.keys(presents)) device.dispose(state[name]!);
        state = { ...state, ...presents };
        return this.logits.of(outputs["logits"]!);
      },
      dispose: () => {
        for (const array of [keyMask, ...Object.values(state)]) device.dispose(array);
        state = {};
      },
    };
  }

  async dispose(): Promise<void> {
    await this.programs.dispose();
    await this.logits.dispose();
  }

  private firstGraph(): ModelGraph {
    const { config } = this;
    const graph = new ModelGraph("t5.first", this.weights);
    const rows = encoderInputs(graph, config);
    const embedded = gather(graph.weight("shared.weight"), graph.input("tokens", "int32", ["A"]));
    const [encoderTokens, decoderTokens] = split(embedded, 0, ["T", "B"]) as [Value, Value];
    const states = encoder(graph, encoderTokens, rows, config);
    const cross = this.crossSource(
      graph,
      (layer) => crossKeysAndValues(graph, states, layer, rows.layout, config),
      () => paddedStates(states, rows.stateLayout),
      rows.keyMask,
    );
    if (cross.states) graph.builder.output("states", cross.states);
    for (const [layer, pair] of cross.keysAndValues)
      pair.forEach((value, i) => graph.builder.output(crossName(layer, i), value));
    return this.decoding(graph, decoderTokens, cross, 1);
  }

  private laterGraph(): ModelGraph {
    const { config } = this;
    const { numHeads: heads, dKv: headWidth } = config;
    const graph = new ModelGraph("t5.next", this.weights);
    const embedded = gather(graph.weight("shared.weight"), graph.input("tokens", "int32", ["B"]));
    const given = (layer: number): readonly [Value, Value] =>
      [0, 1].map((i) => graph.input(crossName(layer, i), "float32", ["B", heads, "L", headWidth])) as [Value, Value];
    const cross = this.crossSource(
      graph,
      given,
      () => graph.input("states", "float32", ["B", "L", config.dModel]),
      graph.input("keyMask", "float32", ["B", 1, 1, "L"]),
    );
    const past = [...Array(config.numDecoderLayers).keys()].map(
      (layer) =>
        [0, 1].map((i) => graph.input(pastName(layer, i), "float32", ["B", heads, "P", headWidth])) as [Value, Value],
    );
    return this.decoding(graph, embedded, cross, "S", past);
  }

  private crossSource(
    graph: ModelGraph,
    make: (layer: number) => readonly [Value, Value],
    states: () => Value,
    keyMask: Value,
  ): CrossSource {
    const layers = [...Array(this.config.numDecoderLayers).keys()];
    const made = layers.filter((layer) => !readsStates(graph, layer));
    return {
      states: made.length < layers.length ? states() : undefined,
      keyMask,
      keysAndValues: new Map(made.map((layer) => [layer, make(layer)] as const)),
    };
  }

  /**
   * Adds the decoder over one token a row, with the keys and values after it under the names that the next run feeds.
   */
  private decoding(
    graph: ModelGraph,
    embedded: Value,
    cross: CrossSource,
    keys: number | string,
    past?: readonly (readonly [Value, Value])[],
  ): ModelGraph {
    const own = decoderInputs(graph, 1, keys);
    const decoded = decoder(graph, embedded, 1, { ...own, cross, past }, this.config);
    graph.builder.output(
      "logits",
      logits(graph, reshape(decoded.states, ["B", this.config.dModel]), this.config, this.tied),
    );
    decoded.present.forEach((pair, layer) =>
      pair.forEach((value, i) => graph.builder.output(past ? presentName(layer, i) : pastName(layer, i), value)),
    );
    return graph;
  }
}

const part = (i: number): string => (i === 0 ? "keys" : "values");
const crossName = (layer: number, i: number): string => `cross.${layer}.${part(i)}`;
const pastName = (layer: number, i: number): string => `past.${layer}.${part(i)}`;
const presentName = (layer: number, i: number): string => `present.${layer}.${part(i)}`;

/** What a run leaves for the next, under the names that it is fed by. */
function without(outputs: Readonly<Record<string, DeviceArray>>, name: string): Record<string, DeviceArray> {
  const rest: Record<string, DeviceArray> = {};
  for (const [key, array] of Object.entries(outputs))
    if (key !== name) rest[key.replace(/^present\./, "past.")] = array;
  return rest;
}
