import { UserError } from "../../base/errors.js";
import type { GgufFile, MetadataReader } from "../../gguf/index.js";
import type { ConfigFile } from "../config-file.js";
import { FLOAT_KEYS } from "../decoder/config-json.js";
import type { DecoderDescription } from "../decoder/description.js";
import { llama3RopeOf } from "./rope-factors.js";

/** The tensor that scales rotary positions as Llama 3.1 does. */
export const ROPE_FACTORS = "rope_freqs.weight";

/** Keys under the architecture's name that are read, or that change nothing. */
const KNOWN = [
  "context_length",
  "embedding_length",
  "block_count",
  "feed_forward_length",
  "vocab_size",
  "attention.head_count",
  "attention.head_count_kv",
  "attention.layer_norm_rms_epsilon",
  "attention.key_length",
  "attention.value_length",
  "attention.causal",
  "attention.sliding_window",
  "attention.sliding_window_pattern",
  "rope.dimension_count",
  "rope.freq_base",
  "rope.freq_base_swa",
  "rope.scaling.type",
  "rope.scaling.factor",
  "rope.scaling.finetuned",
  "rope.scaling.original_context_length",
  "rope.scale_linear",
  "tensor_data_layout",
];

/**
 * The config.json that a GGUF file's metadata comes to, by transformers' keys.
 * @throws {UserError} where a key is missing, or says what is not supported; the file and the key get named
 */
export function configOf(file: GgufFile, description: DecoderDescription): ConfigFile {
  const { metadata, path } = file;
  const { gguf } = description;
  const key = (name: string): string => `${gguf.architecture}.${name}`;
  refuseUnknown(metadata, description);
  const number = (name: string): number | undefined => {
    const value = metadata.optionalNumber(key(name));
    return value === undefined ? undefined : shortest(value);
  };
  const needed = (name: string): number => number(name) ?? metadata.number(key(name));
  const same = (name: string): number => metadata.sameOfAll(key(name)) ?? metadata.number(key(name));
  const [layers, hidden, heads] = [needed("block_count"), needed("embedding_length"), same("attention.head_count")];
  const headDim = number("attention.key_length") ?? hidden / heads;
  for (const other of ["attention.value_length", "rope.dimension_count"])
    if ((number(other) ?? headDim) !== headDim)
      throw new UserError(
        `${path}: ${key(other)} is ${number(other)}, and heads have ${headDim}: this is not supported`,
        { hint: "Take another model, or this one in Hugging Face's format." },
      );
  const embedding = file.tensors.get("token_embd.weight");
  if (!embedding)
    throw new UserError(`${path} has no tensor token_embd.weight`, { hint: "Is it a language model's file?" });
  const theta = number("rope.freq_base") ?? 10_000;
  const token = (name: string): number | undefined => metadata.optionalNumber(`tokenizer.ggml.${name}_token_id`);
  const own = (name: string, value: unknown): Record<string, unknown> =>
    Object.hasOwn(description.config, name) ? { [name]: value } : {};
  const json: Record<string, unknown> = {
    architectures: [description.causalLM],
    model_type: description.modelType,
    vocab_size: embedding.shape[0],
    hidden_size: hidden,
    intermediate_size: same("feed_forward_length"),
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: metadata.sameOfAll(key("attention.head_count_kv")) ?? heads,
    head_dim: headDim,
    max_position_embeddings: needed("context_length"),
    rms_norm_eps: needed("attention.layer_norm_rms_epsilon"),
    ...rotary(file, description, theta, headDim),
    ...own("query_pre_attn_scalar", gguf.queryScalar?.({ layers, hidden, heads, headDim }) ?? headDim),
    ...windows(metadata, description, layers),
    ...own("attention_bias", file.tensors.has("blk.0.attn_q.bias")),
    ...own("mlp_bias", file.tensors.has("blk.0.ffn_gate.bias")),
    ...Object.fromEntries(
      Object.entries(gguf.keys ?? {}).flatMap(([name, stored]) => {
        const value = number(stored);
        return value === undefined ? [] : [[name, value === 0 ? null : value]];
      }),
    ),
    tie_word_embeddings: !file.tensors.has("output.weight"),
    pad_token_id: token("padding"),
    bos_token_id: token("bos"),
    eos_token_id: token("eos"),
  };
  return {
    path,
    modelType: description.modelType,
    json: Object.fromEntries(Object.entries(json).filter(([, value]) => value !== undefined)),
    floatKeys: FLOAT_KEYS,
  };
}

/** The double with the fewest digits that a float32 number can stand for: 1e-6, not 9.999999974752427e-7. */
function shortest(value: number): number {
  if (Number.isInteger(value)) return value;
  for (let digits = 1; digits <= 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return short;
  }
  return value;
}

function refuseUnknown(metadata: MetadataReader, { gguf }: DecoderDescription): void {
  const start = `${gguf.architecture}.`;
  const known = new Set([...KNOWN, ...Object.values(gguf.keys ?? {})]);
  for (const key of metadata.keys) {
    if (!key.startsWith(start) || known.has(key.slice(start.length))) continue;
    const value = metadata.plain(key);
    if (value === 0 || value === false || value === "" || value === "none") continue;
    throw new UserError(`${metadata.path}: ${key} = ${JSON.stringify(value).slice(0, 60)} is not supported`, {
      hint: "The model would compute something else without it.",
    });
  }
  if (metadata.optionalFlag(`${start}attention.causal`) === false)
    throw new UserError(`${metadata.path}: ${start}attention.causal is false: it is no model that continues texts`, {
      hint: "Take another model, or this one in Hugging Face's format.",
    });
}

function rotary(
  file: GgufFile,
  { gguf, rope }: DecoderDescription,
  theta: number,
  headDim: number,
): Record<string, unknown> {
  const { metadata, path } = file;
  const key = (name: string): string => `${gguf.architecture}.rope.${name}`;
  // As llama.cpp has it: linear unless it is told otherwise, by the factor or what that was called at first.
  const type = metadata.optionalText(key("scaling.type")) ?? "linear";
  const factor = metadata.optionalNumber(key("scaling.factor")) ?? metadata.optionalNumber(key("scale_linear")) ?? 1;
  const factors = file.tensors.get(ROPE_FACTORS);
  const windowed = metadata.optionalNumber(key("freq_base_swa"));
  if (rope.slidingTheta === undefined && windowed !== undefined && shortest(windowed) !== theta)
    throw new UserError(`${path}: ${key("freq_base_swa")} = ${windowed} is not supported of this architecture`, {
      hint: "Take another model, or this one in Hugging Face's format.",
    });
  const local = rope.slidingTheta === undefined ? {} : { rope_local_base_freq: windowed ?? rope.slidingTheta };
  if (type !== "none" && type !== "linear")
    throw new UserError(`${path}: ${key("scaling.type")} ${JSON.stringify(type)} is not supported`, {
      hint: "Supported: none and linear.",
    });
  if (type === "linear" && factor !== 0 && factor !== 1) {
    if (factors)
      throw new UserError(`${path} scales rotary positions both by ${key("scaling.type")} and ${ROPE_FACTORS}`, {
        hint: "Take another model, or this one in Hugging Face's format.",
      });
    return { rope_theta: theta, ...local, rope_scaling: { rope_type: "linear", factor } };
  }
  if (!factors) return { rope_theta: theta, ...local };
  if (factors.kind !== "F32" || factors.shape.length !== 1 || factors.shape[0] !== headDim / 2)
    throw new UserError(
      `${path}: ${ROPE_FACTORS} is ${factors.kind} [${factors.shape.join(", ")}], not F32 [${headDim / 2}]`,
      { hint: "Take another model, or this one in Hugging Face's format." },
    );
  const found = llama3RopeOf(file.readRows(ROPE_FACTORS, 0, 1), theta, path);
  return {
    rope_theta: theta,
    rope_scaling: {
      rope_type: "llama3",
      factor: found.factor,
      low_freq_factor: found.lowFreqFactor,
      high_freq_factor: found.highFreqFactor,
      original_max_position_embeddings: found.originalMaxPositionEmbeddings,
    },
  };
}

/** Which layers' attention is windowed, and how wide. */
function windows(
  metadata: MetadataReader,
  { gguf, config }: DecoderDescription,
  layers: number,
): Record<string, unknown> {
  const key = (name: string): string => `${gguf.architecture}.attention.${name}`;
  const window = metadata.optionalNumber(key("sliding_window"));
  if (gguf.windowPattern === undefined) {
    if (window)
      throw new UserError(
        `${metadata.path}: ${key("sliding_window")} = ${window} is not supported of this architecture`,
        { hint: "Take another model, or this one in Hugging Face's format." },
      );
    return {};
  }
  const given = metadata.plain(key("sliding_window_pattern"));
  const every = typeof given === "number" ? given : gguf.windowPattern;
  // Gemma 3 without the key has no windows; Gemma 2 has its own width then.
  const none = window === 0 || (window === undefined && gguf.architecture !== "gemma2");
  const slides = (layer: number): boolean =>
    !none && (Array.isArray(given) ? Boolean(given[layer]) : every === 0 || (layer + 1) % every !== 0);
  if (!Number.isInteger(layers) || layers < 1 || layers > 1024)
    throw new UserError(`${metadata.path}: ${gguf.architecture}.block_count is ${layers}`, {
      hint: "Take another model, or this one in Hugging Face's format.",
    });
  return {
    sliding_window: none ? null : (window ?? config["sliding_window"]),
    layer_types: Array.from({ length: layers }, (_, layer) => (slides(layer) ? "sliding_attention" : "full_attention")),
  };
}
