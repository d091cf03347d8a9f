import type { DeviceArray } from "../../graph/index.js";
import type { TextFormat } from "../architecture.js";
import { Compiled } from "../compiled.js";
import { BatchDropout, DropoutPrograms } from "../dropout.js";
import type { Continuation } from "../generate.js";
import { LanguageModel, type ModelFiles, type SavedAs } from "../language-model.js";
import {
  type Example,
  type GradientOptions,
  type Parameter,
  type PendingLoss,
  readLoss,
  type SummedLoss,
} from "../model.js";
import { type CompiledGraph, compileGraph, gradientName, type ModelGraph } from "../model-graph.js";
import type { Weights } from "../weights.js";
import { decoderFeeds, encoderFeeds, labelledBatch } from "./batch.js";
import { type T5Config, t5ConfigJson, t5GenerationConfig } from "./config.js";
import { T5Generation } from "./generation.js";
import { EMBEDDED_GRADIENT, type TrainingGraphOptions, trainingGraph } from "./training-graph.js";

/** Targets up to this long are few enough for cross-attention to read the encoder's states. */
const FEW_TARGETS = 8;

/** The decoder begins a text of its own. */
export const T5_TEXT: TextFormat = { beforeAnswer: "", opensWithBos: false, oneSequence: false };

/** T5 v1.1 or Flan-T5, to train and to generate with. Made by `loadT5` or `createTinyT5`. */
export class T5Model extends LanguageModel<T5Config> {
  private readonly programs: Compiled<CompiledGraph>;
  private readonly generation: T5Generation;
  private readonly dropouts: DropoutPrograms;
  /** Memory of gradients that came back. */
  private readonly spare = new Map<string, DeviceArray>();

  /** @param tied whether the output layer is the embedding */
  constructor(
    weights: Weights,
    config: T5Config,
    readonly tied: boolean,
    files?: ModelFiles,
  ) {
    super(weights, config, files);
    this.programs = new Compiled(weights, () => this.spare.clear());
    this.generation = new T5Generation(weights, config, tied);
    this.dropouts = new DropoutPrograms(weights.device);
  }

  get batchesTogether(): number {
    return 1;
  }

  get text(): TextFormat {
    return T5_TEXT;
  }

  async lossAndGradients(
    examples: readonly Example[],
    { scale, dropoutSeed, receive }: GradientOptions,
  ): Promise<PendingLoss> {
    if (typeof dropoutSeed === "object") throw new Error("T5's batches do not stand together");
    const { graph, outputs, tokens, ids } = await this.run(examples, { gradients: true, scale, dropoutSeed });
    const apart = outputs[EMBEDDED_GRADIENT];
    for (const parameter of graph.trained()) {
      const gradient = outputs[gradientName(parameter)] ?? (apart && this.embeddingGradient(parameter, apart, ids));
      if (!gradient) throw new Error(`no gradient of ${parameter.name} came out`);
      // Nothing here holds on to it: the receiver may be done with it before the next one comes.
      delete outputs[gradientName(parameter)];
      await receive(parameter, gradient);
    }
    return { loss: outputs["loss"]!, tokens };
  }

  recycle(parameter: Parameter, gradient: DeviceArray): void {
    // On a GPU who adds or applies a gradient frees it.
    if (this.device.memory === "host") this.spare.set(parameter.name, gradient);
  }

  async loss(examples: readonly Example[]): Promise<SummedLoss> {
    const { outputs, tokens } = await this.run(examples, { gradients: false });
    return readLoss(this.device, { loss: outputs["loss"]!, tokens });
  }

  protected start(prompts: readonly (readonly number[])[]): Promise<Continuation> {
    return this.generation.start(prompts);
  }

  protected savedAs(): SavedAs {
    return {
      taskType: "SEQ_2_SEQ_LM",
      config: t5ConfigJson(this.config, this.tied),
      generationConfig: t5GenerationConfig(this.config),
    };
  }

  activationBytes(rows: number, longestInput: number): number {
    const { dModel: width, numHeads: heads, dFf: feedForwardWidth, numLayers: encoderLayers, vocabSize } = this.config;
    const tokens = rows * longestInput;
    // More than flan-t5-base takes: bench:train prints this beside the peak.
    const perToken = 14 * width + 7 * feedForwardWidth + 5 * heads * longestInput;
    return 4 * (tokens * perToken * encoderLayers + 4 * rows * vocabSize);
  }

  protected override async disposePrograms(): Promise<void> {
    await this.programs.dispose();
    await this.generation.dispose();
    await this.dropouts.dispose();
  }

  override async dispose(): Promise<void> {
    this.spare.clear();
    await super.dispose();
  }

  private async run(
    examples: readonly Example[],
    { gradients, scale = 1, dropoutSeed }: { gradients: boolean; scale?: number; dropoutSeed?: number },
  ) {
    const { config, device, tied } = this;
    const batch = labelledBatch(examples, config);
    const { graph, program } = await this.compiled({
      config,
      tied,
      dropout: dropoutSeed !== undefined,
      gradients,
      // On the CPU an output is copied, and this one would be of the embedding's size.
      embeddingApart: device.memory === "host" && !tied,
      fewTargets: batch.positions <= FEW_TARGETS,
    });
    const { rows, longest, total } = batch.packed;
    const sizes = { B: rows, L: longest, T: total, N: batch.positions };
    const dropout =
      dropoutSeed === undefined
        ? undefined
        : new BatchDropout(device, [dropoutSeed], undefined, sizes, undefined, this.dropouts);
    const outputs = await program.run(
      {
        ...graph.feeds(),
        ...encoderFeeds(device, batch.packed, config),
        ...decoderFeeds(device, 0, batch.positions, config),
        tokens: device.array(batch.tokens, [batch.tokens.length]),
        labelPlaces: device.array(batch.labelPlaces, [batch.labelPlaces.length]),
        labels: device.array(batch.labels, [batch.labels.length]),
        ...(gradients ? { scale: device.array(Float32Array.of(scale), []) } : {}),
        ...(dropout ? await graph.dropouts!.feeds(dropout, 0) : {}),
      },
      gradients ? { into: this.takeSpare(graph) } : {},
    );
    await dropout?.dispose();
    return { graph, outputs, tokens: batch.labels.length, ids: batch.tokens };
  }

  private compiled(options: TrainingGraphOptions): Promise<CompiledGraph> {
    const key = [options.dropout, options.gradients, options.fewTargets].join(" ");
    return this.programs.get(key, () => compileGraph(trainingGraph(this.weights, options)));
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
