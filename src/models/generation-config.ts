import { UserError } from "../base/errors.js";

/** A checkpoint's generation_config.json. */
export type GenerationConfig = Readonly<Record<string, unknown>> | undefined;

/**
 * A model's configuration with the tokens that end a reply as generation_config.json names them, where it does: models
 * that chat may end a turn with a token that is named there alone; transformers' `generate` goes by it too.
 */
export function withEndTokens<T extends { readonly eosTokenIds: readonly number[] }>(
  config: T,
  generation: GenerationConfig,
): T {
  const ends = [generation?.["eos_token_id"] ?? []].flat().filter((token): token is number => Number.isInteger(token));
  return ends.length > 0 ? { ...config, eosTokenIds: ends } : config;
}

/**
 * @throws {UserError} where generation_config.json begins replies with another token than config.json: one is trained
 * with, the other answers
 */
export function refuseOtherStart(source: string, generation: GenerationConfig, decoderStartTokenId: number): void {
  const other = generation?.["decoder_start_token_id"] ?? decoderStartTokenId;
  if (other === decoderStartTokenId) return;
  throw new UserError(
    `${source}: decoder_start_token_id is ${JSON.stringify(other)} in generation_config.json, and ` +
      `${decoderStartTokenId} by config.json`,
    { hint: "Write into both what the model was trained with." },
  );
}

/** Keys by which transformers' `generate` changes greedy replies too, with the values that change none. */
const CHANGING: Readonly<Record<string, readonly unknown[]>> = {
  repetition_penalty: [1],
  encoder_repetition_penalty: [1],
  no_repeat_ngram_size: [0],
  encoder_no_repeat_ngram_size: [0],
  min_length: [0],
  min_new_tokens: [0],
  num_beams: [1],
  guidance_scale: [1],
  bad_words_ids: [],
  sequence_bias: [],
  suppress_tokens: [],
  begin_suppress_tokens: [],
  forced_bos_token_id: [],
  forced_eos_token_id: [],
  forced_decoder_ids: [],
  exponential_decay_length_penalty: [],
  penalty_alpha: [0],
  dola_layers: [],
  watermarking_config: [],
  stop_strings: [],
};

/**
 * What of generation_config.json is not applied here, for a line to the user; undefined where nothing is. Replies are
 * the likeliest tokens by the model alone.
 */
export function unappliedGeneration(generation: GenerationConfig): string | undefined {
  const unapplied = Object.entries(generation ?? {}).filter(
    ([key, value]) =>
      Object.hasOwn(CHANGING, key) &&
      value !== null &&
      !(typeof value === "object" && Object.keys(value as object).length === 0) &&
      !CHANGING[key]!.includes(value),
  );
  if (unapplied.length === 0) return undefined;
  const told = unapplied.map(([key, value]) => `${key} = ${JSON.stringify(value).slice(0, 60)}`).join(", ");
  return (
    `generation_config.json's ${told} is not applied: replies are the model's own, where transformers' generate ` +
    `and vLLM may give others`
  );
}
