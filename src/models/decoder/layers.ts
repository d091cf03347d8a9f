import { type DeviceArray, gather } from "../../graph/index.js";
import { Compiled } from "../compiled.js";
import type { BatchDropout, DropoutUse } from "../dropout.js";
import type { Parameter } from "../model.js";
import { type CompiledGraph, compileGraph, gradientName, ModelGraph } from "../model-graph.js";
import type { Weights } from "../weights.js";
import { type RowFeeds, rowInputs } from "./batch.js";
import type { DecoderConfig } from "./config.js";
import { layer, norm } from "./layer.js";
import { finalNorm, layerPrefix } from "./weight-shapes.js";

interface CompiledLayer extends CompiledGraph {
  /** The layer whose weights' names the graph was built with. */
  readonly builtFor: number;
}

type Use = "forward" | "with keys" | "keys" | "backward";

/** What flows back through a layer. */
export interface LayerGradients {
  readonly dStates: DeviceArray;
  readonly gradients: readonly (readonly [Parameter, DeviceArray])[];
}

/**
 * Runs layers one by one: layers of a kind share a program, whose inputs are a layer's weights. Going back, a layer's
 * inner values are computed again, so that only the states between layers are kept.
 */
export class DecoderLayers {
  private readonly programs: Compiled<CompiledLayer>;
  private kinds: { readonly version: number; readonly byLayer: Map<number, string> } | undefined;

  constructor(
    private readonly weights: Weights,
    private readonly config: DecoderConfig,
  ) {
    this.programs = new Compiled(weights);
  }

  /** States [T, hiddenSize] through one layer. */
  async forward(states: DeviceArray, index: number, rows: RowFeeds, dropout?: BatchDropout): Promise<DeviceArray> {
    const compiled = await this.compiled(index, "forward", dropout);
    return (await compiled.program.run(await this.feeds(compiled, states, index, rows, dropout)))["output"]!;
  }

  /**
   * As {@link forward}, with the layer's keys and values [T, numKeyValueHeads · headDim], written into arrays where
   * some are given.
   */
  async forwardWithKeys(
    states: DeviceArray,
    index: number,
    rows: RowFeeds,
    into?: Record<string, DeviceArray>,
  ): Promise<{ states: DeviceArray; keys: DeviceArray; values: DeviceArray }> {
    const compiled = await this.compiled(index, "with keys");
    const made = await compiled.program.run(await this.feeds(compiled, states, index, rows), { into });
    return { states: made["output"]!, keys: made["keys"]!, values: made["values"]! };
  }

  /** The keys and values alone of {@link forwardWithKeys}. */
  async keysAndValues(
    states: DeviceArray,
    index: number,
    rows: RowFeeds,
    into?: Record<string, DeviceArray>,
  ): Promise<{ keys: DeviceArray; values: DeviceArray }> {
    const compiled = await this.compiled(index, "keys");
    const made = await compiled.program.run(await this.feeds(compiled, states, index, rows), { into });
    return { keys: made["keys"]!, values: made["values"]! };
  }

  /** From the gradient of a layer's output to that of its input `states`, and of its trained weights. */
  async backward(
    states: DeviceArray,
    dOutput: DeviceArray,
    index: number,
    rows: RowFeeds,
    dropout?: BatchDropout,
  ): Promise<LayerGradients> {
    const compiled = await this.compiled(index, "backward", dropout);
    const made = await compiled.program.run({
      ...(await this.feeds(compiled, states, index, rows, dropout)),
      dOutput,
    });
    const rename = this.renaming(compiled, index);
    return {
      dStates: made["dStates"]!,
      gradients: compiled.graph
        .trained()
        .map((parameter) => [this.weights.get(rename(parameter.name)), made[gradientName(parameter)]!] as const),
    };
  }

  /** The normed states at some places: [places, hiddenSize]. */
  async finalNorm(states: DeviceArray, places: DeviceArray): Promise<DeviceArray> {
    const { graph, program } = await this.finalProgram(false);
    return (await program.run({ ...graph.feeds(), states, places }))["normed"]!;
  }

  /**
   * From the gradient of {@link finalNorm}'s output to that of all states, and of the norm's weight where it is
   * trained.
   */
  async finalNormBackward(states: DeviceArray, places: DeviceArray, dNormed: DeviceArray): Promise<LayerGradients> {
    const { graph, program } = await this.finalProgram(true);
    const made = await program.run({ ...graph.feeds(), states, places, dNormed });
    return {
      dStates: made["dStates"]!,
      gradients: graph.trained().map((parameter) => [parameter, made[gradientName(parameter)]!] as const),
    };
  }

  dispose(): Promise<void> {
    return this.programs.dispose();
  }

  private async feeds(
    compiled: CompiledLayer,
    states: DeviceArray,
    index: number,
    rows: RowFeeds,
    dropout?: BatchDropout,
  ): Promise<Record<string, DeviceArray>> {
    return {
      ...compiled.graph.feeds(this.renaming(compiled, index)),
      ...rows.common,
      states,
      ...rows.ofType[this.config.layerTypes[index]!],
      ...(dropout ? await compiled.graph.dropouts!.feeds(dropout, index + 1) : {}),
    };
  }

  private renaming({ builtFor }: CompiledLayer, index: number): (name: string) => string {
    const [from, to] = [layerPrefix(this.config, builtFor), layerPrefix(this.config, index)];
    return (name) => name.replace(from, to);
  }

  private compiled(index: number, use: Use, dropout?: BatchDropout): Promise<CompiledLayer> {
    const training = dropout ? { layered: true, merged: dropout.merged !== undefined } : false;
    return this.programs.get(`${use} ${JSON.stringify(training)} ${this.kindOf(index)}`, () =>
      this.compile(index, use, training),
    );
  }

  private async compile(index: number, use: Use, dropout: false | DropoutUse): Promise<CompiledLayer> {
    const { config } = this;
    const graph = new ModelGraph(`decoder.layer.${use.replace(" ", "-")}`, this.weights, dropout);
    const inputs = rowInputs(graph, config);
    const states = graph.input("states", "float32", ["T", config.hiddenSize]);
    const made = layer(graph, states, layerPrefix(this.config, index), inputs, config);
    if (use === "backward") {
      const dOutput = graph.input("dOutput", "float32", ["T", config.hiddenSize]);
      const [dStates] = graph.outputGradients(made.states, dOutput, new Set(), [states]);
      graph.builder.output("dStates", dStates!);
    } else if (use !== "keys") graph.builder.output("output", made.states);
    if (use === "with keys" || use === "keys") {
      graph.builder.output("keys", made.keys);
      graph.builder.output("values", made.values);
    }
    return { ...(await compileGraph(graph)), builtFor: index };
  }

  /** The first layer that shares its programs with this one. */
  firstOfKind(index: number): number {
    const kind = this.kindOf(index);
    for (let first = 0; first < index; first++) if (this.kindOf(first) === kind) return first;
    return index;
  }

  /** What must be alike for two layers to share a program. */
  private kindOf(index: number): string {
    const { version } = this.weights;
    if (this.kinds?.version !== version) this.kinds = { version, byLayer: new Map() };
    let kind = this.kinds.byLayer.get(index);
    if (kind === undefined)
      this.kinds.byLayer.set(index, (kind = this.weights.likeness(layerPrefix(this.config, index))));
    return kind;
  }

  private finalProgram(backward: boolean): Promise<CompiledLayer> {
    return this.programs.get(`final ${backward}`, async () => {
      const graph = new ModelGraph("decoder.final-norm", this.weights);
      const states = graph.input("states", "float32", ["T", this.config.hiddenSize]);
      const normed = norm(
        graph,
        gather(states, graph.input("places", "int32", ["M"])),
        finalNorm(this.config),
        this.config,
      );
      if (backward) {
        const [dStates] = graph.outputGradients(
          normed,
          graph.input("dNormed", "float32", ["M", this.config.hiddenSize]),
          new Set(),
          [states],
        );
        graph.builder.output("dStates", dStates!);
      } else graph.builder.output("normed", normed);
      return { ...(await compileGraph(graph)), builtFor: 0 };
    });
  }
}
