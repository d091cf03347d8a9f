import type { DeviceArray } from "../../graph/index.js";
import type { TextFormat } from "../architecture.js";
import { BatchDropout, DropoutPrograms } from "../dropout.js";
import type { Continuation, StartOptions } from "../generate.js";
import { LanguageModel, type ModelFiles, type SavedAs } from "../language-model.js";
import {
  type Example,
  type GradientOptions,
  type PendingLoss,
  readLoss,
  type SeededRows,
  type SummedLoss,
  type TrainableModel,
} from "../model.js";
import { type PackedRows, packRows } from "../packing.js";
import type { Weights } from "../weights.js";
import { checkTokens, disposeRowFeeds, labelledRows, uploadedRowFeeds } from "./batch.js";
import type { DecoderConfig } from "./config.js";
import { decoderConfigJson, decoderGenerationConfig, FLOAT_KEYS } from "./config-json.js";
import type { DecoderDescription } from "./description.js";
import { Embedding } from "./embedding.js";
import { DecoderGeneration } from "./generation.js";
import { DecoderLayers } from "./layers.js";
import { OutputLayer } from "./output-layer.js";
import { type FrozenTable, Table } from "./table.js";
import { embeddingName, OUTPUT } from "./weight-shapes.js";

/**
 * A decoder-only model of any architecture, to train and to generate with. Made by `loadDecoder` or
 * `createTinyDecoder`.
 */
export class DecoderModel extends LanguageModel<DecoderConfig> {
  private readonly layers: DecoderLayers;
  private readonly embedding: Embedding;
  private readonly output: OutputLayer;
  private readonly generation: DecoderGeneration;
  private readonly dropouts: DropoutPrograms;

  /** @param frozenTables the embedding and the output layer, where they are not among the weights */
  constructor(
    weights: Weights,
    config: DecoderConfig,
    private readonly description: DecoderDescription,
    private readonly frozenTables: ReadonlyMap<string, FrozenTable> = new Map(),
    files?: ModelFiles,
  ) {
    super(weights, config, files);
    this.layers = new DecoderLayers(weights, config);
    this.dropouts = new DropoutPrograms(weights.device);
    this.embedding = new Embedding(this.table(embeddingName(config)), config.scaledEmbedding);
    this.output = new OutputLayer(
      this.table(config.tieWordEmbeddings ? embeddingName(config) : OUTPUT),
      config.finalLogitSoftcapping,
    );
    this.generation = new DecoderGeneration(weights, this.layers, this.embedding, this.output, config);
  }

  get batchesTogether(): number {
    return 4;
  }

  /** Dropout is the adapters' alone, of packed tokens. On the CPU smaller batches are as fast. */
  get mergesBatches(): boolean {
    return this.device.memory !== "host";
  }

  get text(): TextFormat {
    return { ...this.description.tokens, oneSequence: true };
  }

  get longestSequence(): number {
    return this.config.maxPositionEmbeddings;
  }

  override get stored(): TrainableModel["stored"] {
    const elements = this.config.vocabSize * this.config.hiddenSize;
    const words = [...this.frozenTables.values()].reduce((sum, { type }) => sum + (type === "float32" ? 4 : 2), 0);
    const { count, bytes } = super.stored;
    return { count: count + this.frozenTables.size * elements, bytes: bytes + words * elements };
  }

  async lossAndGradients(
    examples: readonly Example[],
    { scale, dropoutSeed, receive }: GradientOptions,
  ): Promise<PendingLoss> {
    const { config, device, layers, embedding, output } = this;
    const batch = await this.batch(examples, dropoutSeed);
    const { packed, rows, places, labels, dropout } = batch;
    const scaled = await device.upload(device.array(Float32Array.of(scale), []));
    const states = [await embedding.embed(packed.tokens)];
    for (let index = 0; index < config.numHiddenLayers; index++)
      states.push(await layers.forward(states[index]!, index, rows, dropout));
    const last = states.pop()!;
    const normed = await layers.finalNorm(last, places);
    const head = await output.loss(normed, labels, scaled);
    const tied = config.tieWordEmbeddings;
    if (head.dTable && !tied) await receive(this.weights.get(OUTPUT), head.dTable);
    const final = await layers.finalNormBackward(last, places, head.dStates!);
    for (const array of [last, normed, head.dStates!, scaled]) device.dispose(array);
    for (const [parameter, gradient] of final.gradients) await receive(parameter, gradient);
    let dStates = final.dStates;
    for (let index = config.numHiddenLayers - 1; index >= 0; index--) {
      const input = states.pop()!;
      const back = await layers.backward(input, dStates, index, rows, dropout);
      for (const array of [input, dStates]) device.dispose(array);
      dStates = back.dStates;
      for (const [parameter, gradient] of back.gradients) await receive(parameter, gradient);
    }
    if (embedding.trained) {
      const dTable = await embedding.gradient(tied ? head.dTable : undefined, packed.tokens, dStates);
      await receive(this.weights.get(embeddingName(config)), dTable);
    }
    device.dispose(dStates);
    await batch.dispose();
    return { loss: head.loss, tokens: labels.size };
  }

  async loss(examples: readonly Example[]): Promise<SummedLoss> {
    const { config, device, layers, embedding, output } = this;
    const batch = await this.batch(examples);
    let states = await embedding.embed(batch.packed.tokens);
    for (let index = 0; index < config.numHiddenLayers; index++) {
      const next = await layers.forward(states, index, batch.rows);
      device.dispose(states);
      states = next;
    }
    const normed = await layers.finalNorm(states, batch.places);
    const { loss } = await output.loss(normed, batch.labels);
    for (const array of [states, normed]) device.dispose(array);
    await batch.dispose();
    return readLoss(device, { loss, tokens: batch.labels.size });
  }

  /** Logits of so many places at once as take 64 MiB: those of a long prompt would take gigabytes. */
  async promptLogits(
    prompt: readonly number[],
    onLogits: (place: number, logits: Float32Array) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const { config, device, layers, embedding, output } = this;
    checkTokens("the prompt", prompt, config);
    const packed = packRows([prompt]);
    const rows = await uploadedRowFeeds(device, packed, config);
    let states = await embedding.embed(packed.tokens);
    for (let index = 0; index < config.numHiddenLayers; index++) {
      signal?.throwIfAborted();
      const next = await layers.forward(states, index, rows);
      device.dispose(states);
      states = next;
    }
    const atOnce = Math.max(1, Math.floor(2 ** 24 / config.vocabSize));
    for (let from = 0; from < prompt.length; from += atOnce) {
      signal?.throwIfAborted();
      const places = Int32Array.from({ length: Math.min(atOnce, prompt.length - from) }, (_, at) => from + at);
      const normed = await layers.finalNorm(states, device.array(places, [places.length]));
      const logits = await output.logits(normed);
      const { vocabulary } = logits;
      const values = await logits.values();
      logits.dispose();
      device.dispose(normed);
      places.forEach((place, at) => onLogits(place, values.subarray(at * vocabulary, (at + 1) * vocabulary)));
      // On the CPU a pass blocks the event loop: signals get their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    device.dispose(states);
    disposeRowFeeds(device, rows);
  }

  protected start(prompts: readonly (readonly number[])[], options: StartOptions): Promise<Continuation> {
    return this.generation.start(prompts, options);
  }

  protected savedAs(): SavedAs {
    return {
      taskType: "CAUSAL_LM",
      config: decoderConfigJson(this.config, this.description),
      floatKeys: FLOAT_KEYS,
      // The text part of a larger model is saved as a model of text alone.
      tensorName: (name) =>
        name.startsWith(this.config.prefix) ? `model.${name.slice(this.config.prefix.length)}` : name,
      generationConfig: decoderGenerationConfig(this.config),
    };
  }

  activationBytes(rows: number, longestInput: number): number {
    const { hiddenSize, intermediateSize, numAttentionHeads, numHiddenLayers, headDim, vocabSize } = this.config;
    const tokens = rows * longestInput;
    const withinLayer =
      tokens *
      (14 * hiddenSize +
        8 * intermediateSize +
        12 * numAttentionHeads * headDim +
        6 * numAttentionHeads * longestInput);
    const largestWeight = hiddenSize * intermediateSize;
    return (
      4 * (tokens * hiddenSize * (numHiddenLayers + 2) + withinLayer + 3 * largestWeight + 6 * rows * 2 * vocabSize)
    );
  }

  protected override async disposePrograms(): Promise<void> {
    for (const part of [this.layers, this.generation, this.embedding, this.output, this.dropouts]) await part.dispose();
  }

  /** Examples in the device's memory, with their masks. */
  private async batch(examples: readonly Example[], dropoutSeed?: GradientOptions["dropoutSeed"]) {
    const { config, device } = this;
    const { packed, labelPlaces, labels } = labelledRows(examples, config);
    const rows = await uploadedRowFeeds(device, packed, config);
    const upload = (array: Int32Array): Promise<DeviceArray> => device.upload(device.array(array, [array.length]));
    const own = [await upload(labelPlaces), await upload(labels)] as const;
    const dropout = dropoutSeed === undefined ? undefined : await this.dropout(packed, dropoutSeed, upload);
    return {
      packed,
      rows,
      places: own[0],
      labels: own[1],
      dropout,
      dispose: async (): Promise<void> => {
        disposeRowFeeds(device, rows);
        for (const array of own) device.dispose(array);
        await dropout?.dispose();
      },
    };
  }

  private async dropout(
    { rows, longest, total, lengths }: PackedRows,
    seed: number | readonly SeededRows[],
    upload: (array: Int32Array) => Promise<DeviceArray>,
  ): Promise<BatchDropout> {
    const parts = typeof seed === "number" ? [{ rows, seed }] : seed;
    const seeds = parts.map((part) => part.seed);
    const sizes = { B: rows, L: longest, T: total };
    let merged: { places: DeviceArray; parts: DeviceArray } | undefined;
    if (parts.length > 1) {
      const [places, partOf] = [new Int32Array(total), new Int32Array(total)];
      let [row, at] = [0, 0];
      for (const [part, { rows }] of parts.entries()) {
        const tokens = lengths.slice(row, row + rows).reduce((sum, length) => sum + length, 0);
        partOf.fill(part, at, at + tokens);
        for (let place = 0; place < tokens; place++) places[at + place] = place;
        [row, at] = [row + rows, at + tokens];
      }
      merged = { places: await upload(places), parts: await upload(partOf) };
    }
    return new BatchDropout(this.device, seeds, this.config.numHiddenLayers, sizes, merged, this.dropouts);
  }

  private table(name: string): Table {
    const { vocabSize, hiddenSize } = this.config;
    return new Table(this.weights, name, vocabSize, hiddenSize, this.frozenTables.get(name));
  }
}
