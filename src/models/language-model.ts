import { UserError } from "../base/errors.js";
import type { Device } from "../graph/index.js";
import type { TextFormat } from "./architecture.js";
import type { ConfigFile } from "./config-file.js";
import {
  type Continuation,
  type Generated,
  type GenerateOptions,
  type Generator,
  generateReplies,
  type LocalModel,
  nextLogProbabilities,
  type StartOptions,
} from "./generate.js";
import { saveAdapter } from "./lora/peft.js";
import type { Example, GradientOptions, Parameter, PendingLoss, SummedLoss, TrainableModel } from "./model.js";
import { parameterToWrite, saveModelFolder } from "./save.js";
import type { Weights } from "./weights.js";

/** What is saved beside the weights. */
export interface ModelFiles {
  /** Keys of the original config.json: those that the model does not set itself are kept. */
  readonly config?: Pick<ConfigFile, "json" | "floatKeys">;
  readonly generationConfig?: Readonly<Record<string, unknown>>;
  /** Paths of the tokenizer's files. */
  readonly tokenizer?: readonly string[];
}

/** What the configurations of all architectures have. */
export interface LanguageModelConfig {
  /** Rows of the embedding, at least as many as the tokenizer has tokens. */
  readonly vocabSize: number;
  readonly padTokenId: number;
  readonly eosTokenIds: readonly number[];
}

/** How a model is saved, beside its weights. */
export interface SavedAs {
  /** PEFT's name of what it does. */
  readonly taskType: "CAUSAL_LM" | "SEQ_2_SEQ_LM";
  /** Keys of config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Keys of config.json whose number is written as a float. */
  readonly floatKeys?: Iterable<string>;
  /** A weight's name in the file; its own unless given. */
  readonly tensorName?: (name: string) => string;
  /** generation_config.json, where the model was loaded without one. */
  readonly generationConfig: Readonly<Record<string, unknown>>;
}

/** A model of any architecture, to train and to generate with, over its weights. */
export abstract class LanguageModel<Config extends LanguageModelConfig = LanguageModelConfig>
  implements TrainableModel, LocalModel
{
  constructor(
    readonly weights: Weights,
    readonly config: Config,
    readonly files: ModelFiles = {},
  ) {}

  abstract readonly batchesTogether: number;
  /** How texts for it are written. */
  abstract readonly text: TextFormat;
  abstract lossAndGradients(examples: readonly Example[], options: GradientOptions): Promise<PendingLoss>;
  abstract loss(examples: readonly Example[]): Promise<SummedLoss>;
  abstract activationBytes(rows: number, longestInput: number): number;
  /** Frees what was compiled. */
  protected abstract disposePrograms(): Promise<void>;
  /** Reads prompts, for replies to be continued from there. */
  protected abstract start(prompts: readonly (readonly number[])[], options: StartOptions): Promise<Continuation>;
  protected abstract savedAs(): SavedAs;

  get device(): Device {
    return this.weights.device;
  }

  get parameters(): readonly Parameter[] {
    return this.weights.parameters;
  }

  get vocabularySize(): number {
    return this.config.vocabSize;
  }

  get endTokens(): readonly number[] {
    return this.config.eosTokenIds;
  }

  get stored(): TrainableModel["stored"] {
    return {
      count: this.weights.storedElements,
      bytes: this.weights.bytes - this.parameters.reduce((sum, { array }) => sum + array.bytes, 0),
    };
  }

  generate(prompts: readonly (readonly number[])[], options: GenerateOptions): Promise<Generated[]> {
    return generateReplies(this.generator, prompts, options);
  }

  letterLogProbabilities(prompts: readonly (readonly number[])[], letterIds: readonly number[]): Promise<number[][]> {
    return nextLogProbabilities(this.generator, prompts, letterIds);
  }

  /** @throws {UserError} where weights are held in another way than as float32 and there is no adapter to save */
  async save(folder: string): Promise<void> {
    const { taskType, config, floatKeys = [], generationConfig, tensorName = (name) => name } = this.savedAs();
    const { files, weights } = this;
    if (weights.lora) return saveAdapter(folder, weights, taskType, files.tokenizer);
    if (this.stored.count > 0) {
      throw new UserError("this model holds weights quantized or frozen as bfloat16, and is not saved as a whole", {
        hint: "Save an adapter, merge one by mergeAdapterFolder, or load with frozen: false.",
      });
    }
    const tensors = [];
    for (const parameter of this.parameters)
      tensors.push({ ...(await parameterToWrite(this.device, parameter)), name: tensorName(parameter.name) });
    await saveModelFolder(folder, {
      config: { ...files.config?.json, ...config },
      floatKeys: new Set([...(files.config?.floatKeys ?? []), ...floatKeys]),
      generationConfig: files.generationConfig ?? generationConfig,
      tensors,
      files: files.tokenizer ?? [],
    });
  }

  async dispose(): Promise<void> {
    await this.disposePrograms();
    this.weights.dispose();
  }

  private get generator(): Generator {
    const { eosTokenIds: endTokens, padTokenId: padToken } = this.config;
    return { start: (prompts, options) => this.start(prompts, options), endTokens, padToken };
  }
}
