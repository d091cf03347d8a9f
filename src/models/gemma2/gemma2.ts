import { UserError } from "../../base/errors.js";
import type { Device } from "../../graph/index.js";
import type { ConfigFile } from "../config-file.js";
import { type Generated, generateReplies, type GenerateOptions, type Generator, type LocalModel, nextLogProbabilities } from "../generate.js";
import { saveAdapter } from "../lora/index.js";
import type { Example, GradientOptions, Parameter, SummedLoss, TrainableModel } from "../model.js";
import { parameterToWrite, saveModelFolder } from "../save.js";
import type { Weights } from "../weights.js";
import { labelledRows, rowFeeds } from "./batch.js";
import { EMBEDDING, GEMMA2_FLOAT_KEYS, type Gemma2Config, gemma2ConfigJson } from "./config.js";
import { Embedding } from "./embedding.js";
import { Gemma2Generation } from "./generation.js";
import { Gemma2Layers } from "./layers.js";

/** What is saved beside the weights. */
export interface Gemma2Files {
  /** Keys of the original config.json: those that this model does not set itself are kept. */
  readonly config?: Pick<ConfigFile, "json" | "floatKeys">;
  readonly generationConfig?: Readonly<Record<string, unknown>>;
  /** Paths of the tokenizer's files. */
  readonly tokenizer?: readonly string[];
}

/** Gemma 2, to train and to generate with. Made by `loadGemma2` or `createTinyGemma2`. */
export class Gemma2Model implements TrainableModel, LocalModel {
  private readonly layers: Gemma2Layers;
  private embedding: Embedding;
  private generation: Gemma2Generation;

  /** @param frozenTable the embedding's bfloat16 words, where it is not among the weights */
  constructor(
    readonly weights: Weights,
    readonly config: Gemma2Config,
    private readonly frozenTable?: Uint16Array,
    readonly files: Gemma2Files = {},
  ) {
    this.layers = new Gemma2Layers(weights, config);
    this.embedding = this.makeEmbedding();
    this.generation = new Gemma2Generation(weights, this.layers, this.embedding, config);
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
    return 4;
  }

  get endTokens(): readonly number[] {
    return this.config.endTokens;
  }

  get longestSequence(): number {
    return this.config.longestSequence;
  }

  get stored(): TrainableModel["stored"] {
    const table = this.frozenTable?.length ?? 0;
    return { count: this.weights.storedElements + table, bytes: this.weights.bytes - this.parameters.reduce((sum, { array }) => sum + array.bytes, 0) + 2 * table };
  }

  async lossAndGradients(examples: readonly Example[], { scale, dropoutSeed, receive }: GradientOptions): Promise<SummedLoss> {
    const { config, device, layers, embedding } = this;
    const { packed, labelPlaces, labels } = labelledRows(examples, config);
    const rows = rowFeeds(device, packed, config);
    const states = [await embedding.embed(packed.tokens)];
    for (let index = 0; index < config.layers; index++) states.push(await layers.forward(states[index]!, index, rows, packed, dropoutSeed));
    const last = states.pop()!;
    const normed = await layers.finalNorm(last, labelPlaces);
    const head = await embedding.loss(normed, labels, scale);
    const final = await layers.finalNormBackward(last, labelPlaces, head.dStates!);
    for (const array of [last, normed, head.dStates!]) device.dispose(array);
    for (const [parameter, gradient] of final.gradients) await receive(parameter, gradient);
    let dStates = final.dStates;
    for (let index = config.layers - 1; index >= 0; index--) {
      const input = states.pop()!;
      const back = await layers.backward(input, dStates, index, rows, packed, dropoutSeed);
      for (const array of [input, dStates]) device.dispose(array);
      dStates = back.dStates;
      for (const [parameter, gradient] of back.gradients) await receive(parameter, gradient);
    }
    if (head.dTable) await receive(this.weights.get(EMBEDDING), await embedding.addEmbedded(head.dTable, packed.tokens, dStates));
    device.dispose(dStates);
    return { lossSum: head.lossSum, tokens: labels.length };
  }

  async loss(examples: readonly Example[]): Promise<SummedLoss> {
    const { config, device, layers, embedding } = this;
    const { packed, labelPlaces, labels } = labelledRows(examples, config);
    const rows = rowFeeds(device, packed, config);
    let states = await embedding.embed(packed.tokens);
    for (let index = 0; index < config.layers; index++) {
      const next = await layers.forward(states, index, rows, packed);
      device.dispose(states);
      states = next;
    }
    const normed = await layers.finalNorm(states, labelPlaces);
    const { lossSum } = await embedding.loss(normed, labels);
    for (const array of [states, normed]) device.dispose(array);
    return { lossSum, tokens: labels.length };
  }

  generate(prompts: readonly (readonly number[])[], options: GenerateOptions): Promise<Generated[]> {
    return generateReplies(this.generator, prompts, options);
  }

  letterLogProbabilities(prompts: readonly (readonly number[])[], letterIds: readonly number[]): Promise<number[][]> {
    return nextLogProbabilities(this.generator, prompts, letterIds);
  }

  async save(folder: string): Promise<void> {
    if (this.weights.lora) return saveAdapter(folder, this.weights, "CAUSAL_LM", this.files.tokenizer);
    if (this.frozenTable || this.weights.storedElements > 0) {
      throw new UserError("this model holds weights quantized or frozen as bfloat16, and is not saved as a whole", { hint: "Save an adapter, merge one by mergeAdapterFolder, or load with frozen: false." });
    }
    const tensors = [];
    for (const parameter of this.weights.parameters) tensors.push(await parameterToWrite(this.device, parameter));
    const { beginToken, padToken, endTokens } = this.config;
    await saveModelFolder(folder, {
      config: { ...this.files.config?.json, ...gemma2ConfigJson(this.config) },
      floatKeys: new Set([...(this.files.config?.floatKeys ?? []), ...GEMMA2_FLOAT_KEYS]),
      generationConfig: this.files.generationConfig ?? { bos_token_id: beginToken, eos_token_id: endTokens.length === 1 ? endTokens[0] : endTokens, pad_token_id: padToken },
      tensors,
      files: this.files.tokenizer ?? [],
    });
  }

  activationBytes(rows: number, longestInput: number): number {
    const { width, feedForwardWidth, heads, layers, headWidth, vocabularySize } = this.config;
    const tokens = rows * longestInput;
    const withinLayer = tokens * (14 * width + 8 * feedForwardWidth + 12 * heads * headWidth + 6 * heads * longestInput);
    const largestWeight = width * feedForwardWidth;
    return 4 * (tokens * width * (layers + 2) + withinLayer + 3 * largestWeight + 6 * rows * 2 * vocabularySize);
  }

  async recompile(): Promise<void> {
    await this.layers.dispose();
    await this.generation.dispose();
    await this.embedding.dispose();
    this.embedding = this.makeEmbedding();
    this.generation = new Gemma2Generation(this.weights, this.layers, this.embedding, this.config);
  }

  async dispose(): Promise<void> {
    await this.recompile();
    this.weights.dispose();
  }

  private get generator(): Generator {
    const { endTokens, padToken } = this.config;
    return { start: (prompts, options) => this.generation.start(prompts, options), endTokens, padToken };
  }

  private makeEmbedding(): Embedding {
    return new Embedding(this.device, this.config, this.frozenTable ? { bfloat16: this.frozenTable } : { parameter: this.weights.get(EMBEDDING) });
  }
}

