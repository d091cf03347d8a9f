import type { DecoderDescription } from "../decoder/description.js";

/** GGUF's names of a layer's parts. Source: `TensorNameMap` of Python's `gguf`. */
const PARTS: Readonly<Record<string, string>> = {
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.v_proj": "attn_v",
  "self_attn.o_proj": "attn_output",
  "self_attn.q_norm": "attn_q_norm",
  "self_attn.k_norm": "attn_k_norm",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.down_proj": "ffn_down",
};

/** GGUF's name of a weight. @param name transformers', beginning with `model.` whatever the model lies within */
export function ggufName(name: string, { norm }: Pick<DecoderDescription, "norm">): string {
  if (name === "model.embed_tokens.weight") return "token_embd.weight";
  if (name === "model.norm.weight") return "output_norm.weight";
  if (name === "lm_head.weight") return "output.weight";
  const [, layer, part, kind] = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(name) ?? [];
  const norms: Record<string, string> = {
    [norm.beforeAttention]: "attn_norm",
    [norm.beforeMlp]: "ffn_norm",
    ...(norm.afterAttention ? { [norm.afterAttention]: "post_attention_norm" } : {}),
    ...(norm.afterMlp ? { [norm.afterMlp]: "post_ffw_norm" } : {}),
  };
  const own = part === undefined ? undefined : (PARTS[part] ?? norms[part]);
  if (own === undefined) throw new Error(`GGUF has no name for ${name}`);
  return `blk.${layer}.${own}.${kind}`;
}

/** Whether a weight is a norm's: those of some architectures stand in GGUF one higher. */
export const isNorm = (ggufName: string): boolean => ggufName.endsWith("_norm.weight");

/** Whether a weight's rows are those of queries or keys. */
export const isRotated = (ggufName: string): boolean => /\.attn_[qk]\.(weight|bias)$/.test(ggufName);

/**
 * The row in the file of each row of a model whose heads rotate halves, where the file's rotate neighbours: of `d` rows
 * of a head, `i` and `i + d/2` stand as `2i` and `2i + 1`.
 */
export function neighbourRow(row: number, headDim: number): number {
  const [head, within] = [Math.floor(row / headDim), row % headDim];
  const half = headDim / 2;
  return head * headDim + (within < half ? 2 * within : 2 * (within - half) + 1);
}
