import { z } from "zod";
import { UserError } from "../../base/errors.js";
import type { LayerType } from "./config.js";
import type { RopeDescription } from "./description.js";

/** Rotary positions of a kind of layers, as transformers 5 has them in `rope_parameters`. */
export type RopeParameters = { readonly ropeTheta: number } & (
  | { readonly ropeType: "default" }
  | { readonly ropeType: "linear"; readonly factor: number }
  | {
      readonly ropeType: "llama3";
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalMaxPositionEmbeddings: number;
    }
);

const own = {
  rope_theta: z.number().positive().nullish(),
  rope_type: z.string().nullish(),
  /** What `rope_type` was called at first. */
  type: z.string().nullish(),
  factor: z.number().positive().nullish(),
  low_freq_factor: z.number().positive().nullish(),
  high_freq_factor: z.number().positive().nullish(),
  original_max_position_embeddings: z.number().int().positive().nullish(),
  partial_rotary_factor: z.literal(1, "is not supported").nullish(),
};
const one = z.strictObject(own);
type OneRope = z.infer<typeof one>;

/** `rope_parameters` or `rope_scaling`: of all layers, or of each type of layers. */
export const ropeSchema = z.strictObject({
  ...own,
  full_attention: one.nullish(),
  sliding_attention: one.nullish(),
});
type Rope = z.infer<typeof ropeSchema>;

interface RopeKeys {
  readonly max_position_embeddings: number;
  readonly rope_theta?: number | null;
  readonly rope_local_base_freq?: number | null;
  readonly rope_scaling?: Rope | null;
  readonly rope_parameters?: Rope | null;
}

/**
 * The rotary positions of each type of layers, by transformers' rules for both dialects: `rope_parameters` (5.x), for
 * all layers or for each type; or `rope_theta`, `rope_local_base_freq` and `rope_scaling`, of which the last is not for
 * windowed layers with a base of their own.
 * @throws {UserError} where they are of a type that is not supported, or a number is missing
 */
export function ropeParametersOf(
  path: string,
  json: RopeKeys,
  { theta, slidingTheta }: RopeDescription,
): Readonly<Record<LayerType, RopeParameters>> {
  const scaling = json.rope_scaling && Object.keys(json.rope_scaling).length > 0 ? json.rope_scaling : undefined;
  const { full_attention, sliding_attention, ...flat } = scaling ?? json.rope_parameters ?? {};
  const nested = json.rope_parameters ?? {};
  const read = (given: OneRope, fallback: number): RopeParameters =>
    oneRope(path, given, fallback, json.max_position_embeddings);
  const full = read(full_attention ?? nested.full_attention ?? flat, json.rope_theta ?? theta);
  const ofSliding = sliding_attention ?? nested.sliding_attention;
  if (slidingTheta === undefined && !ofSliding) return { full_attention: full, sliding_attention: full };
  return {
    full_attention: full,
    sliding_attention: read(ofSliding ?? {}, json.rope_local_base_freq ?? slidingTheta ?? json.rope_theta ?? theta),
  };
}

function oneRope(path: string, given: OneRope, theta: number, maxPositionEmbeddings: number): RopeParameters {
  const ropeTheta = given.rope_theta ?? theta;
  const ropeType = given.rope_type ?? given.type ?? "default";
  const needed = (key: "factor" | "low_freq_factor" | "high_freq_factor"): number => {
    const value = given[key];
    if (value === undefined || value === null)
      throw new UserError(`${path}: rotary positions of the type ${ropeType} have no ${key}`, {
        hint: "Copy config.json anew from where the model comes from.",
      });
    return value;
  };
  switch (ropeType) {
    case "default":
      return { ropeTheta, ropeType };
    case "linear":
      return { ropeTheta, ropeType, factor: needed("factor") };
    case "llama3":
      return {
        ropeTheta,
        ropeType,
        factor: needed("factor"),
        lowFreqFactor: needed("low_freq_factor"),
        highFreqFactor: needed("high_freq_factor"),
        originalMaxPositionEmbeddings: given.original_max_position_embeddings ?? maxPositionEmbeddings,
      };
    default:
      throw new UserError(`${path}: rope_type ${JSON.stringify(ropeType)} is not supported`, {
        hint: "Supported: default, linear and llama3.",
      });
  }
}

/** A layer type's `rope_parameters` in config.json. */
function ropeJson(rope: RopeParameters): Record<string, unknown> {
  return {
    rope_theta: rope.ropeTheta,
    rope_type: rope.ropeType,
    ...(rope.ropeType === "default" ? {} : { factor: rope.factor }),
    ...(rope.ropeType === "llama3"
      ? {
          low_freq_factor: rope.lowFreqFactor,
          high_freq_factor: rope.highFreqFactor,
          original_max_position_embeddings: rope.originalMaxPositionEmbeddings,
        }
      : {}),
  };
}

/** config.json's keys of rotary positions, in both dialects. */
export function ropeConfigJson(
  { full_attention, sliding_attention }: Readonly<Record<LayerType, RopeParameters>>,
  { slidingTheta }: RopeDescription,
): Record<string, unknown> {
  const full = ropeJson(full_attention);
  const { rope_theta, ...scaling } = full;
  const old = {
    rope_theta,
    ...(full_attention.ropeType === "default" ? { rope_scaling: null } : { rope_scaling: scaling }),
  };
  return slidingTheta === undefined
    ? { ...old, rope_parameters: full }
    : {
        ...old,
        rope_local_base_freq: sliding_attention.ropeTheta,
        rope_parameters: { full_attention: full, sliding_attention: ropeJson(sliding_attention) },
      };
}
