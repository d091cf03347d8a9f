import type { Continuation, GenerateOptions } from "../generate.js";
import { LanguageModel, type ModelFiles, type SavedAs } from "../language-model.js";
import type { Example, GradientOptions, SummedLoss, TrainableModel } from "../model.js";
import { packRows } from "../packing.js";
import type { Weights } from "../weights.js";
import { checkTokens, labelledRows, rowFeeds } from "./batch.js";
import { EMBEDDING, GEMMA2_FLOAT_KEYS, type Gemma2Config, gemma2ConfigJson } from "./config.js";
import { Embedding } from "./embedding.js";
import { Gemma2Generation } from "./generation.js";
import { Gemma2Layers } from "./layers.js";

/** Gemma 2, to train and to generate with. Made by `loadGemma2` or `createTinyGemma2`. */
export class Gemma2Model extends LanguageModel<Gemma2Config> {
  private readonly layers: Gemma2Layers;
  private readonly embedding: Embedding;
  private readonly generation: Gemma2Generation;

  /** @param frozenTable the embedding's bfloat16 words, where it is not among the weights */
  constructor(
    weights: Weights,
    config: Gemma2Config,
    private readonly frozenTable?: Uint16Array,
    files?: ModelFiles,
  ) {
    super(weights, config, files);
    this.layers = new Gemma2Layers(weights, config);
    this.embedding = new Embedding(weights, config, frozenTable);
    this.generation = new Gemma2Generation(weights, this.layers, this.embedding, config);
  }

  get batchesTogether(): number {
    return 4;
  }

  get longestSequence(): number {
    return this.config.longestSequence;
  }

  override get stored(): TrainableModel["stored"] {
    const table = this.frozenTable?.length ?? 0;
    const { count, bytes } = super.stored;
    return { count: count + table, bytes: bytes + 2 * table };
  }

  async lossAndGradients(
    examples: readonly Example[],
    { scale, dropoutSeed, receive }: GradientOptions,
  ): Promise<SummedLoss> {
    const { config, device, layers, embedding } = this;
    const { packed, labelPlaces, labels } = labelledRows(examples, config);
    const rows = rowFeeds(device, packed, config);
    const states = [await embedding.embed(packed.tokens)];
    for (let index = 0; index < config.layers; index++)
      states.push(await layers.forward(states[index]!, index, rows, packed, dropoutSeed));
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
    if (head.dTable)
      await receive(this.weights.get(EMBEDDING), await embedding.addEmbedded(head.dTable, packed.tokens, dStates));
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

  /** Logits of so many places at once as take 64 MiB: those of a long prompt would take gigabytes. */
  async promptLogits(
    prompt: readonly number[],
    told: (place: number, logits: Float32Array) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const { config, device, layers, embedding } = this;
    checkTokens("the prompt", prompt, config);
    const packed = packRows([prompt]);
    const rows = rowFeeds(device, packed, config);
    let states = await embedding.embed(packed.tokens);
    for (let index = 0; index < config.layers; index++) {
      signal?.throwIfAborted();
      const next = await layers.forward(states, index, rows, packed);
      device.dispose(states);
      states = next;
    }
    const atOnce = Math.max(1, Math.floor(2 ** 24 / config.vocabularySize));
    for (let from = 0; from < prompt.length; from += atOnce) {
      signal?.throwIfAborted();
      const places = Int32Array.from({ length: Math.min(atOnce, prompt.length - from) }, (_, at) => from + at);
      const normed = await layers.finalNorm(states, places);
      const { values, vocabulary } = await embedding.logits(normed);
      device.dispose(normed);
      places.forEach((place, at) => told(place, values.subarray(at * vocabulary, (at + 1) * vocabulary)));
      // On the CPU a pass blocks the event loop: signals get their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    device.dispose(states);
  }

  protected start(
    prompts: readonly (readonly number[])[],
    options?: Pick<GenerateOptions, "signal">,
  ): Promise<Continuation> {
    return this.generation.start(prompts, options);
  }

  protected savedAs(): SavedAs {
    const { beginToken, padToken, endTokens } = this.config;
    return {
      taskType: "CAUSAL_LM",
      config: gemma2ConfigJson(this.config),
      floatKeys: GEMMA2_FLOAT_KEYS,
      generationConfig: {
        bos_token_id: beginToken,
        eos_token_id: endTokens.length === 1 ? endTokens[0] : endTokens,
        pad_token_id: padToken,
      },
    };
  }

  activationBytes(rows: number, longestInput: number): number {
    const { width, feedForwardWidth, heads, layers, headWidth, vocabularySize } = this.config;
    const tokens = rows * longestInput;
    const withinLayer =
      tokens * (14 * width + 8 * feedForwardWidth + 12 * heads * headWidth + 6 * heads * longestInput);
    const largestWeight = width * feedForwardWidth;
    return 4 * (tokens * width * (layers + 2) + withinLayer + 3 * largestWeight + 6 * rows * 2 * vocabularySize);
  }

  protected override async disposePrograms(): Promise<void> {
    for (const part of [this.layers, this.generation, this.embedding]) await part.dispose();
  }
}
