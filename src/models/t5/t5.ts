import type { Device, DeviceArray, Program } from "../../graph/index.js";
import type { ConfigFile } from "../config-file.js";
import { type Generated, generateReplies, type GenerateOptions, type Generator, type LocalModel, nextLogProbabilities } from "../generate.js";
import type { Example, GradientOptions, Parameter, SummedLoss, TrainableModel } from "../model.js";
import { saveAdapter } from "../lora/index.js";
import { gradientName, type ModelGraph } from "../model-graph.js";
import { parameterToWrite, saveModelFolder } from "../save.js";
import type { Weights } from "../weights.js";
import { decoderFeeds, encoderFeeds, labelledBatch } from "./batch.js";
import { t5ConfigJson, type T5Config } from "./config.js";
import { T5Generation } from "./generation.js";
import { EMBEDDED_GRADIENT, trainingGraph, type TrainingGraphOptions } from "./training-graph.js";

/** What is saved beside the weights. */
export interface T5Files {
  /** Keys of the original config.json: those that this model does not set itself are kept. */
  readonly config?: Pick<ConfigFile, "json" | "floatKeys">;
  readonly generationConfig?: Readonly<Record<string, unknown>>;
  /** Paths of the tokenizer's files. */
  readonly tokenizer?: readonly string[];
}

interface Compiled {
  readonly graph: ModelGraph;
  readonly program: Program;
}

/** Targets up to this long are few enough for cross-attention to read the encoder's states. */
const FEW_TARGETS = 8;

/** T5 v1.1 or Flan-T5, to train and to generate with. Made by `loadT5` or `createTinyT5`. */
export class T5Model implements TrainableModel, LocalModel {
  private readonly programs = new Map<string, Promise<Compiled>>();
  private generation: T5Generation;
  /** Memory of gradients that came back. */
  private readonly spare = new Map<string, DeviceArray>();

  /** @param tied whether the output layer is the embedding */
  constructor(
    readonly weights: Weights,
    readonly config: T5Config,
    readonly tied: boolean,
    readonly files: T5Files = {},
  ) {
    this.generation = new T5Generation(weights, config, tied);
  }

  get device(): Device {
    return this.weights.device;
  }

  get parameters(): readonly Parameter[] {
    return this.weights.parameters;
  }

  get vocabularySize(): number {
    return this.config.vocabularySize;
  }

  get batchesTogether(): number {
    return 1;
  }

  get endTokens(): readonly number[] {
    return this.config.endTokens;
  }

  get stored(): TrainableModel["stored"] {
    return { count: this.weights.storedElements, bytes: this.weights.bytes - this.parameters.reduce((sum, { array }) => sum + array.bytes, 0) };
  }

  async lossAndGradients(examples: readonly Example[], { scale, dropoutSeed, receive }: GradientOptions): Promise<SummedLoss> {
    const { graph, outputs, tokens, ids } = await this.run(examples, { gradients: true, scale, dropoutSeed });
    const lossSum = await this.takeLoss(outputs["loss"]!);
    const apart = outputs[EMBEDDED_GRADIENT];
    for (const parameter of graph.trained()) {
      const gradient = outputs[gradientName(parameter)] ?? (apart && this.embeddingGradient(parameter, apart, ids));
      if (!gradient) throw new Error(`no gradient of ${parameter.name} came out`);
      // Nothing here holds on to it: the receiver may be done with it before the next one comes.
      delete outputs[gradientName(parameter)];
      await receive(parameter, gradient);
    }
    return { lossSum, tokens };
  }

  recycle(parameter: Parameter, gradient: DeviceArray): void {
    // On a GPU who adds or applies a gradient frees it.
    if (this.device.name === "cpu") this.spare.set(parameter.name, gradient);
  }

  async loss(examples: readonly Example[]): Promise<SummedLoss> {
    const { outputs, tokens } = await this.run(examples, { gradients: false });
    return { lossSum: await this.takeLoss(outputs["loss"]!), tokens };
  }

  generate(prompts: readonly (readonly number[])[], options: GenerateOptions): Promise<Generated[]> {
    return generateReplies(this.generator, prompts, options);
  }

  letterLogProbabilities(prompts: readonly (readonly number[])[], letterIds: readonly number[]): Promise<number[][]> {
    return nextLogProbabilities(this.generator, prompts, letterIds);
  }

  async save(folder: string): Promise<void> {
    if (this.weights.lora) return saveAdapter(folder, this.weights, "SEQ_2_SEQ_LM", this.files.tokenizer);
    const tensors = [];
    for (const parameter of this.weights.parameters) tensors.push(await parameterToWrite(this.device, parameter));
    const { padToken, endTokens, startToken } = this.config;
    await saveModelFolder(folder, {
      config: { ...this.files.config?.json, ...t5ConfigJson(this.config, this.tied) },
      floatKeys: this.files.config?.floatKeys,
      generationConfig: this.files.generationConfig ?? {
        decoder_start_token_id: startToken,
        eos_token_id: endTokens.length === 1 ? endTokens[0] : endTokens,
        pad_token_id: padToken,
      },
      tensors,
      files: this.files.tokenizer ?? [],
    });
  }

  activationBytes(rows: number, longestInput: number): number {
    const { width, heads, feedForwardWidth, encoderLayers, vocabularySize } = this.config;
    const tokens = rows * longestInput;
    const perToken = 16 * width + 10 * feedForwardWidth + 5 * heads * longestInput;
    const gradients = this.parameters.filter(({ trained }) => trained).reduce((sum, { array }) => sum + array.bytes, 0);
    return 4 * (tokens * perToken * encoderLayers + 4 * rows * vocabularySize) + 2 * gradients;
  }

  /** Forgets the compiled graphs: to be called after adapters came or went or parameters were frozen. */
  async recompile(): Promise<void> {
    for (const compiled of this.programs.values()) await (await compiled).program.dispose();
    this.programs.clear();
    await this.generation.dispose();
  }

  async dispose(): Promise<void> {
    await this.recompile();
    this.spare.clear();
    this.weights.dispose();
  }

  private get generator(): Generator {
    const { endTokens, padToken } = this.config;
    return { start: (prompts) => this.generation.start(prompts), endTokens, padToken };
  }

  private async run(examples: readonly Example[], { gradients, scale = 1, dropoutSeed }: { gradients: boolean; scale?: number; dropoutSeed?: number }) {
    const { config, device, tied } = this;
    const batch = labelledBatch(examples, config);
    const { graph, program } = await this.compiled({
      config,
      tied,
      dropout: dropoutSeed !== undefined,
      gradients,
      // On the CPU an output is copied, and this one would be of the embedding's size.
      embeddingApart: device.name === "cpu" && !tied,
      fewTargets: batch.positions <= FEW_TARGETS,
    });
    const { rows, longest, total } = batch.packed;
    const sizes = { B: rows, L: longest, T: total, N: batch.positions };
    const outputs = await program.run({
      ...graph.feeds(),
      ...encoderFeeds(device, batch.packed, config),
      ...decoderFeeds(device, 0, batch.positions, config),
      tokens: device.array(batch.tokens, [batch.tokens.length]),
      labelPlaces: device.array(batch.labelPlaces, [batch.labelPlaces.length]),
      labels: device.array(batch.labels, [batch.labels.length]),
      ...(gradients ? { scale: device.array(Float32Array.of(scale), []) } : {}),
      ...(dropoutSeed === undefined ? {} : graph.dropoutFeeds(device, dropoutSeed, sizes)),
    }, gradients ? { into: this.takeSpare(graph) } : {});
    return { graph, outputs, tokens: batch.labels.length, ids: batch.tokens };
  }

  private compiled(options: TrainingGraphOptions): Promise<Compiled> {
    const key = [options.dropout, options.gradients, options.fewTargets].join(" ");
    let compiled = this.programs.get(key);
    if (!compiled) {
      compiled = (async () => {
        const graph = trainingGraph(this.weights, options);
        return { graph, program: await this.device.compile(graph.builder) };
      })();
      this.programs.set(key, compiled);
    }
    return compiled;
  }

  private async takeLoss(array: DeviceArray): Promise<number> {
    const [value] = (await this.device.read(array)) as Float32Array;
    this.device.dispose(array);
    return value!;
  }

  /** Memory for the gradients that are outputs of the graph, as far as there is some. */
  private takeSpare(graph: ModelGraph): Record<string, DeviceArray> {
    const into: Record<string, DeviceArray> = {};
    for (const parameter of graph.trained()) {
      const name = gradientName(parameter);
      const spare = graph.builder.outputs.has(name) ? this.spare.get(parameter.name) : undefined;
      if (!spare) continue;
      into[name] = spare;
      this.spare.delete(parameter.name);
    }
    return into;
  }

  /** The embedding's gradient from that of the embedded tokens. */
  private embeddingGradient({ name, shape }: Parameter, rows: DeviceArray, ids: Int32Array): DeviceArray {
    const width = shape[1]!;
    const from = rows.data as Float32Array;
    const gradient = this.spare.get(name) ?? this.device.zeros(shape);
    const sum = gradient.data as Float32Array;
    if (this.spare.delete(name)) sum.fill(0);
    ids.forEach((id, row) => {
      const at = id * width;
      const start = row * width;
      for (let i = 0; i < width; i++) sum[at + i] = sum[at + i]! + from[start + i]!;
    });
    return gradient;
  }
}
