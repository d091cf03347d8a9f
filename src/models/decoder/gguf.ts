/** What a GGUF file of a decoder-only architecture has that is not in its other description. */
export interface GgufDescription {
  /** `general.architecture`. */
  readonly architecture: string;
  /** Whether rows of queries and keys stand so that neighbours are rotated together: transformers has halves. */
  readonly neighboursRotated?: boolean;
  /** Whether linear layers may have biases beyond those that all models of the architecture have. */
  readonly anyBiases?: boolean;
  /** Every so many layers one attends to all, where the file does not say it; none where no layer is windowed. */
  readonly windowPattern?: number;
  /** Keys of config.json that are in the metadata under the architecture's name. */
  readonly keys?: Readonly<Record<string, string>>;
  /**
   * `query_pre_attn_scalar`, which is not in the file: llama.cpp derives it from the sizes. The heads' size unless
   * given.
   */
  readonly queryScalar?: (sizes: { layers: number; hidden: number; heads: number; headDim: number }) => number;
}
