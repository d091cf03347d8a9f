import { z } from "zod";
import { UserError } from "../../base/errors.js";
import { type ConfigFile, endTokenIds, parseConfig, SIZES } from "../config-file.js";
import { refuseUnknownKeys } from "../known-keys.js";

const { vocabulary, width, headWidth, layers, heads, tokenId } = SIZES;

const schema = z.looseObject({
  vocab_size: vocabulary,
  d_model: width,
  d_kv: headWidth,
  d_ff: width,
  num_layers: layers,
  num_decoder_layers: layers.nullish(),
  num_heads: heads,
  relative_attention_num_buckets: z.number().int().min(4).max(4096).default(32),
  relative_attention_max_distance: width.default(128),
  dropout_rate: z.number().min(0).max(0.999).default(0.1),
  layer_norm_epsilon: z.number().positive().max(1).default(1e-6),
  feed_forward_proj: z.string().default("relu"),
  tie_word_embeddings: z.boolean().nullish(),
  scale_decoder_outputs: z.boolean().nullish(),
  decoder_start_token_id: tokenId.nullish(),
  pad_token_id: tokenId.nullish(),
  eos_token_id: endTokenIds.nullish(),
  is_encoder_decoder: z.literal(true, "is not supported").nullish(),
  /** What follows from feed_forward_proj. */
  is_gated_act: z.boolean().nullish(),
  dense_act_fn: z.string().nullish(),
});

/** What a T5 model is made of; names are the field's, the comment gives config.json's. */
export interface T5Config {
  /** vocab_size: rows of the embedding, at least as many as the tokenizer has tokens. */
  readonly vocabSize: number;
  /** d_model */
  readonly dModel: number;
  /** d_kv: width of a head; heads × this need not be the model's width. */
  readonly dKv: number;
  /** d_ff */
  readonly dFf: number;
  /** num_layers */
  readonly numLayers: number;
  /** num_decoder_layers */
  readonly numDecoderLayers: number;
  /** num_heads */
  readonly numHeads: number;
  /** relative_attention_num_buckets */
  readonly relativeAttentionNumBuckets: number;
  /** relative_attention_max_distance */
  readonly relativeAttentionMaxDistance: number;
  /** dropout_rate */
  readonly dropoutRate: number;
  /** layer_norm_epsilon */
  readonly layerNormEpsilon: number;
  /** feed_forward_proj: `gated-gelu` is gelu_new(wi_0 x) · wi_1 x; `relu` is relu(wi x), as in the first T5. */
  readonly feedForwardProj: "gated-gelu" | "relu";
  /** Whether the decoder's output is multiplied by width^-0.5 before the output layer (models with tied embeddings). */
  readonly scaleDecoderOutputs: boolean;
  /** decoder_start_token_id */
  readonly decoderStartTokenId: number;
  /** pad_token_id */
  readonly padTokenId: number;
  /** eos_token_id */
  readonly eosTokenIds: readonly number[];
}

/**
 * Reads a T5 configuration; keys that are absent have transformers' defaults.
 * @throws {UserError} where a key is wrong, or the feed-forward layer is of a kind that is not supported.
 */
export function parseT5Config(file: Pick<ConfigFile, "path" | "json">): T5Config {
  const json = parseConfig(file, schema, "T5");
  if (json.feed_forward_proj !== "gated-gelu" && json.feed_forward_proj !== "relu") {
    throw new UserError(`${file.path}: feed_forward_proj ${JSON.stringify(json.feed_forward_proj)} is not supported`, {
      hint: "Supported: gated-gelu (T5 v1.1, Flan-T5) and relu (T5).",
    });
  }
  refuseUnknownKeys(file.path, file.json, Object.keys(schema.shape));
  const gated = json.feed_forward_proj === "gated-gelu";
  const activation = gated ? "gelu_new" : "relu";
  if ((json.is_gated_act ?? gated) !== gated || (json.dense_act_fn ?? activation) !== activation)
    throw new UserError(
      `${file.path}: is_gated_act ${json.is_gated_act} and dense_act_fn ${json.dense_act_fn} are not those of ` +
        `feed_forward_proj ${json.feed_forward_proj}`,
      { hint: `Supported with it: ${gated} and ${activation}.` },
    );
  const exact = Math.floor(json.relative_attention_num_buckets / 2);
  if (json.relative_attention_max_distance <= exact)
    throw new UserError(
      `${file.path}: relative_attention_max_distance is ${json.relative_attention_max_distance}, and half of ` +
        `relative_attention_num_buckets, ${exact}, are exact distances: none is left for those that are farther`,
      { hint: "Does config.json belong to these weights? transformers fails on such texts as well." },
    );
  const padTokenId = json.pad_token_id ?? 0;
  const end = json.eos_token_id ?? 1;
  return {
    vocabSize: json.vocab_size,
    dModel: json.d_model,
    dKv: json.d_kv,
    dFf: json.d_ff,
    numLayers: json.num_layers,
    numDecoderLayers: json.num_decoder_layers ?? json.num_layers,
    numHeads: json.num_heads,
    relativeAttentionNumBuckets: json.relative_attention_num_buckets,
    relativeAttentionMaxDistance: json.relative_attention_max_distance,
    dropoutRate: json.dropout_rate,
    layerNormEpsilon: json.layer_norm_epsilon,
    feedForwardProj: json.feed_forward_proj,
    scaleDecoderOutputs: json.scale_decoder_outputs ?? json.tie_word_embeddings !== false,
    decoderStartTokenId: json.decoder_start_token_id ?? padTokenId,
    padTokenId,
    eosTokenIds: typeof end === "number" ? [end] : end,
  };
}

/** config.json of a model, such that old and new versions of transformers read it alike. */
export function t5ConfigJson(config: T5Config, tied: boolean): Record<string, unknown> {
  return {
    architectures: ["T5ForConditionalGeneration"],
    model_type: "t5",
    is_encoder_decoder: true,
    vocab_size: config.vocabSize,
    d_model: config.dModel,
    d_kv: config.dKv,
    d_ff: config.dFf,
    num_layers: config.numLayers,
    num_decoder_layers: config.numDecoderLayers,
    num_heads: config.numHeads,
    relative_attention_num_buckets: config.relativeAttentionNumBuckets,
    relative_attention_max_distance: config.relativeAttentionMaxDistance,
    dropout_rate: config.dropoutRate,
    layer_norm_epsilon: config.layerNormEpsilon,
    feed_forward_proj: config.feedForwardProj,
    // transformers 4 scales the output where the embeddings are tied; transformers 5 goes by scale_decoder_outputs.
    tie_word_embeddings: tied,
    scale_decoder_outputs: config.scaleDecoderOutputs,
    decoder_start_token_id: config.decoderStartTokenId,
    pad_token_id: config.padTokenId,
    eos_token_id: config.eosTokenIds.length === 1 ? config.eosTokenIds[0] : config.eosTokenIds,
    use_cache: true,
    dtype: "float32",
    torch_dtype: "float32",
  };
}

/** generation_config.json of a model that was loaded without one. */
export function t5GenerationConfig({
  decoderStartTokenId,
  eosTokenIds,
  padTokenId,
}: T5Config): Record<string, unknown> {
  return {
    decoder_start_token_id: decoderStartTokenId,
    eos_token_id: eosTokenIds.length === 1 ? eosTokenIds[0] : eosTokenIds,
    pad_token_id: padTokenId,
  };
}

/** Names and shapes of a model's weights, in the checkpoint's order. */
export function t5WeightShapes(config: T5Config, tied: boolean): Map<string, readonly number[]> {
  const { dModel: width, numHeads: heads, dKv: headWidth, dFf: feedForwardWidth } = config;
  const inner = heads * headWidth;
  const shapes = new Map<string, readonly number[]>([["shared.weight", [config.vocabSize, width]]]);
  const attention = (name: string): void => {
    for (const part of ["q", "k", "v"]) shapes.set(`${name}.${part}.weight`, [inner, width]);
    shapes.set(`${name}.o.weight`, [width, inner]);
  };
  const stack = (side: "encoder" | "decoder", layers: number): void => {
    for (let i = 0; i < layers; i++) {
      const block = `${side}.block.${i}.layer`;
      attention(`${block}.0.SelfAttention`);
      if (i === 0)
        shapes.set(`${block}.0.SelfAttention.relative_attention_bias.weight`, [
          config.relativeAttentionNumBuckets,
          heads,
        ]);
      shapes.set(`${block}.0.layer_norm.weight`, [width]);
      let last = 1;
      if (side === "decoder") {
        attention(`${block}.1.EncDecAttention`);
        shapes.set(`${block}.1.layer_norm.weight`, [width]);
        last = 2;
      }
      const feedForward = `${block}.${last}.DenseReluDense`;
      for (const part of config.feedForwardProj === "relu" ? ["wi"] : ["wi_0", "wi_1"])
        shapes.set(`${feedForward}.${part}.weight`, [feedForwardWidth, width]);
      shapes.set(`${feedForward}.wo.weight`, [width, feedForwardWidth]);
      shapes.set(`${block}.${last}.layer_norm.weight`, [width]);
    }
    shapes.set(`${side}.final_layer_norm.weight`, [width]);
  };
  stack("encoder", config.numLayers);
  stack("decoder", config.numDecoderLayers);
  if (!tied) shapes.set("lm_head.weight", [config.vocabSize, width]);
  return shapes;
}
