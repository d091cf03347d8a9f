import type { DecoderConfig } from "./config.js";

/** The output layer's weight, where it has one of its own. */
export const OUTPUT = "lm_head.weight";

export const embeddingName = ({ prefix }: Pick<DecoderConfig, "prefix">): string => `${prefix}embed_tokens.weight`;

/** The last norm, without `.weight`. */
export const finalNorm = ({ prefix }: Pick<DecoderConfig, "prefix">): string => `${prefix}norm`;

/** The beginning of a layer's weights' names. */
export const layerPrefix = ({ prefix }: Pick<DecoderConfig, "prefix">, layer: number): string =>
  `${prefix}layers.${layer}.`;

/** Whether a weight is a table of tokens: the embedding, or an output layer of its own. */
export const isTable = (name: string): boolean => name === OUTPUT || name.endsWith(".embed_tokens.weight");

/** Names and shapes of a model's weights, in the checkpoint's order. */
export function decoderWeightShapes(config: DecoderConfig): Map<string, readonly number[]> {
  const { hiddenSize, intermediateSize, numAttentionHeads, numKeyValueHeads, headDim, biases, norm } = config;
  const shapes = new Map<string, readonly number[]>([[embeddingName(config), [config.vocabSize, hiddenSize]]]);
  for (let layer = 0; layer < config.numHiddenLayers; layer++) {
    const add = (name: string, ...shape: number[]): unknown =>
      shapes.set(`${layerPrefix(config, layer)}${name}.weight`, shape);
    const linear = (name: string, outputs: number, inputs: number, bias: boolean): void => {
      add(name, outputs, inputs);
      if (bias) shapes.set(`${layerPrefix(config, layer)}${name}.bias`, [outputs]);
    };
    add(norm.beforeAttention, hiddenSize);
    linear("self_attn.q_proj", numAttentionHeads * headDim, hiddenSize, biases.queryKeyValue);
    linear("self_attn.k_proj", numKeyValueHeads * headDim, hiddenSize, biases.queryKeyValue);
    linear("self_attn.v_proj", numKeyValueHeads * headDim, hiddenSize, biases.queryKeyValue);
    linear("self_attn.o_proj", hiddenSize, numAttentionHeads * headDim, biases.output);
    if (config.queryKeyNorm) for (const part of ["q_norm", "k_norm"]) add(`self_attn.${part}`, headDim);
    if (norm.afterAttention) add(norm.afterAttention, hiddenSize);
    add(norm.beforeMlp, hiddenSize);
    linear("mlp.gate_proj", intermediateSize, hiddenSize, biases.mlp);
    linear("mlp.up_proj", intermediateSize, hiddenSize, biases.mlp);
    linear("mlp.down_proj", hiddenSize, intermediateSize, biases.mlp);
    if (norm.afterMlp) add(norm.afterMlp, hiddenSize);
  }
  shapes.set(`${finalNorm(config)}.weight`, [hiddenSize]);
  if (!config.tieWordEmbeddings) shapes.set(OUTPUT, [config.vocabSize, hiddenSize]);
  return shapes;
}
