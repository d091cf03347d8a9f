import type { TextFormat } from "../architecture.js";
import type { GgufDescription } from "./gguf.js";

/** The feed-forward layer: an activation of one product gates another. */
export type GatedMlp = "silu-gated" | "gelu-tanh-gated";

/** Names of a layer's norms in the checkpoint, without `model.layers.<n>.` and `.weight`. */
export interface NormDescription {
  /** Whether norms' weights are stored less one, so that zeros do nothing. */
  readonly storedLessOne: boolean;
  readonly beforeAttention: string;
  /** Of what attention gives, before it is added to the residual. */
  readonly afterAttention?: string;
  readonly beforeMlp: string;
  readonly afterMlp?: string;
}

export interface AttentionDescription {
  /** Whether each head's query and key are normed before they are rotated, by `q_norm` and `k_norm`. */
  readonly queryKeyNorm?: boolean;
  /** Whether queries, keys and values have biases whatever config.json says. */
  readonly queryKeyValueBias?: boolean;
  /** Whether a layer's attention is windowed where `layer_types` does not say; none is unless given. */
  readonly slides?: (layer: number, json: Readonly<Record<string, unknown>>) => boolean;
}

export interface RopeDescription {
  /** `rope_theta` where config.json has none. */
  readonly theta: number;
  /** That of windowed layers where they have a base of their own, and config.json has no `rope_local_base_freq`. */
  readonly slidingTheta?: number;
}

/** All in which one decoder-only architecture differs from another, after its sizes in config.json. */
export interface DecoderDescription {
  /** `model_type` in config.json. */
  readonly modelType: string;
  /** What it is called, in messages. */
  readonly title: string;
  /** transformers' class, named in config.json's `architectures`. */
  readonly causalLM: string;
  /** The hub's identifier of the licence that all models of it are under, where there is one. */
  readonly license?: string;
  /** Keys of config.json beyond those that all have, with transformers' values where config.json does not have them. */
  readonly config: Readonly<Record<string, unknown>>;
  /** A model of more than text that holds this one: its text part is read, the rest is left. */
  readonly within?: {
    /** Its `model_type`. */
    readonly modelType: string;
    /** The key of its config.json that holds this model's. */
    readonly configKey: string;
    /** Where this model's weights lie instead of under `model.`. */
    readonly prefix: string;
    /** Beginnings of weights' names as files have them, with what transformers calls them. */
    readonly storedAs: Readonly<Record<string, string>>;
    /** Beginnings of the names of weights that are left. */
    readonly left: readonly string[];
    /** Keys of this model's that transformers' class of the whole does not heed: refused where they say something. */
    readonly unheeded?: readonly string[];
  };
  readonly embedding: {
    /** Whether embedded tokens are multiplied by the root of their size. */
    readonly scaled: boolean;
  };
  readonly norm: NormDescription;
  readonly attention: AttentionDescription;
  readonly mlp: GatedMlp;
  readonly rope: RopeDescription;
  /** Whether transformers.js has a class for its `model_type`: what is exported for it is refused otherwise. */
  readonly transformersJs?: boolean;
  /** Its GGUF files. */
  readonly gguf: GgufDescription;
  readonly tokens: Omit<TextFormat, "oneSequence">;
}
