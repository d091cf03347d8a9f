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

/** `rope_scaling`: of all layers, or of those whose attention is full. */
export const ropeScalingSchema = one;

/** `rope_parameters`: of all layers, or of each type of layers. */
export const ropeSchema = z.strictObject({
  ...own,
  full_attention: one.nullish(),
  sliding_attention: one.nullish(),
});
type Rope = z.infer<typeof ropeSchema>;

interface RopeKeys {
  readonly max_position_embeddings: number;
  readonly original_max_position_embeddings?: number | null;
  readonly rope_theta?: number | null;
  readonly rope_local_base_freq?: number | null;
  readonly rope_scaling?: OneRope | null;
  readonly rope_parameters?: Rope | null;
}

/**
 * The rotary positions of each type of layers, by transformers' rules for both dialects: `rope_parameters` (5.x), for
 * all layers, or for each type where windowed layers have a base of their own; or `rope_theta`, `rope_local_base_freq`
 * and `rope_scaling`, of which the last is not for such windowed layers. Where both are given, `rope_scaling` takes the
 * place of `rope_parameters`, or changes its keys for full attention.
 * @throws {UserError} where they are of a type that is not supported, a number is missing, or transformers would not
 * heed what is said
 */
export function ropeParametersOf(
  path: string,
  json: RopeKeys,
  { theta, slidingTheta }: RopeDescription,
): Readonly<Record<LayerType, RopeParameters>> {
  const { full_attention, sliding_attention, ...flat } = json.rope_parameters ?? {};
  const byType = slidingTheta !== undefined;
  const unheeded = Object.entries(byType ? flat : { full_attention, sliding_attention }).find(
    ([, value]) => value !== undefined && value !== null,
  );
  if (unheeded)
    throw new UserError(
      `${path}: rope_parameters.${unheeded[0]} is not supported: this architecture has rotary positions ` +
        (byType ? "for each type of layers" : "for all layers alike"),
      {
        hint: byType
          ? "Write it under rope_parameters.full_attention or rope_parameters.sliding_attention, as it was trained."
          : "Write its keys into rope_parameters itself, as it was trained.",
      },
    );
  const scaling = json.rope_scaling && Object.keys(json.rope_scaling).length > 0 ? json.rope_scaling : undefined;
  const read = (given: OneRope, fallback: number): RopeParameters => oneRope(path, given, fallback, json);
  const ofAll = json.rope_theta ?? theta;
  if (!byType) {
    const all = read(scaling ?? flat, ofAll);
    return { full_attention: all, sliding_attention: all };
  }
  if (scaling?.type && !scaling.rope_type)
    throw new UserError(
      `${path}: rope_scaling.type is not supported: transformers 4 heeds it in this architecture, and 5 does not`,
      { hint: "Call it rope_type where the model was trained so; remove rope_scaling where it was not." },
    );
  return {
    full_attention: read({ ...full_attention, ...scaling }, ofAll),
    sliding_attention: read(sliding_attention ?? {}, json.rope_local_base_freq ?? slidingTheta),
  };
}

function oneRope(path: string, given: OneRope, theta: number, json: RopeKeys): RopeParameters {
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
    case "llama3": {
      const first = given.original_max_position_embeddings ?? json.max_position_embeddings;
      const outside = json.original_max_position_embeddings ?? first;
      // transformers' configuration has the one, and its model the other.
      if (outside !== first)
        throw new UserError(
          `${path}: original_max_position_embeddings is ${outside}, and that of the rotary positions ${first}`,
          { hint: "Leave the right one alone, among the keys of rope_scaling or rope_parameters." },
        );
      return {
        ropeTheta,
        ropeType,
        factor: needed("factor"),
        lowFreqFactor: needed("low_freq_factor"),
        highFreqFactor: needed("high_freq_factor"),
        originalMaxPositionEmbeddings: first,
      };
    }
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
