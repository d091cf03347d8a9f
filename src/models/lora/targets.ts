import { UserError } from "../../base/errors.js";
import type { LoraSettings } from "../weights.js";
import { matches, matchesWhole } from "./python-pattern.js";

/** What of an adapter's settings decides which layers it changes. */
export type Targets = Pick<LoraSettings, "modules" | "excluded" | "layers" | "layersPattern">;

/** What of an adapter's settings decides how much it changes a layer. */
export type Ranks = Pick<LoraSettings, "rank" | "alpha" | "rankStabilized" | "rankPattern" | "alphaPattern">;

/** A layer that an adapter changes. */
export interface Target {
  readonly layer: string;
  /** [outputs, inputs] */
  readonly shape: readonly [number, number];
  readonly rank: number;
  /**
   * What B·A is multiplied by: alpha / rank, or alpha / √rank where the adapter is rank-stabilized (Kalajdzievski
   * 2023).
   */
  readonly scaling: number;
}

/** Whether `modules` names all linear layers, as PEFT's string does, and as our own list of it. */
export const isAllLinear = (modules: LoraSettings["modules"]): boolean =>
  (typeof modules === "string" ? modules : modules.length === 1 ? modules[0]! : "").toLowerCase() === "all-linear";

const isOf = (layer: string, module: string): boolean => layer === module || layer.endsWith(`.${module}`);

/** Names of a module list that are no layer's. */
export const lostModules = (modules: LoraSettings["modules"], layers: Iterable<string>): string[] => {
  if (typeof modules === "string" || isAllLinear(modules)) return [];
  const names = [...layers];
  return modules.filter((module) => !names.some((layer) => isOf(layer, module)));
};

function among(modules: string | readonly string[], names: readonly string[]): boolean[] {
  if (typeof modules === "string") return matchesWhole(modules, names);
  return names.map((name) => modules.some((module) => isOf(name, module)));
}

/**
 * A layer's number in its stack, by PEFT's rule: the first number in its name, or the first behind one of the patterns.
 */
function layerNumbers(names: readonly string[], pattern: Targets["layersPattern"]): (number | undefined)[] {
  const patterns = (pattern === undefined ? [] : [pattern].flat()).filter((one) => one !== "");
  const found =
    patterns.length === 0
      ? [matches("", names, () => ".*?\\.[^.]*\\.(?<idx>\\d+)\\.")]
      : patterns.map((one) => matches(one, names, (source) => `(?:|.*?\\.)${source}\\.(?<idx>\\d+)\\.`));
  return names.map((_name, i) => {
    const number = found.map((each) => each[i]).find((each) => each !== null);
    return number ? Number(number) : undefined;
  });
}

/**
 * The values that a pattern's keys give to layers: the first key that a layer's name is, or ends with behind a point,
 * as an expression.
 */
function patterned(
  pattern: Readonly<Record<string, number>> | undefined,
  names: readonly string[],
): Map<string, number> {
  const values = new Map<string, number>();
  for (const [key, value] of Object.entries(pattern ?? {})) {
    const left = names.filter((name) => !values.has(name));
    const found = matches(key, left, (source) => `(.*\\.)?(${source})$`);
    left.forEach((name, i) => found[i] !== null && values.set(name, value));
  }
  return values;
}

/**
 * The linear layers that an adapter's settings name, by PEFT's rules (0.21): a list names layers or their ends, a text
 * is a regular expression of the whole name or `all-linear`; excluded ones are left out; of numbered layers only some
 * may be meant.
 * @param layers shapes of all linear layers
 * @throws {UserError} where an expression cannot be read
 */
export function targetsOf(layers: ReadonlyMap<string, readonly [number, number]>, settings: Targets & Ranks): Target[] {
  const names = [...layers.keys()];
  const excluded = settings.excluded?.length ? among(settings.excluded, names) : names.map(() => false);
  const named = isAllLinear(settings.modules) ? names.map(() => true) : among(settings.modules, names);
  const some = settings.layers === undefined ? undefined : [settings.layers].flat();
  const numbers = some?.length ? layerNumbers(names, settings.layersPattern) : undefined;
  const chosen = names.filter(
    (_name, i) =>
      named[i] && !excluded[i] && (numbers === undefined || (numbers[i] !== undefined && some!.includes(numbers[i]))),
  );
  const [ranks, alphas] = [patterned(settings.rankPattern, chosen), patterned(settings.alphaPattern, chosen)];
  return chosen.map((layer) => {
    const rank = ranks.get(layer) ?? settings.rank;
    const alpha = alphas.get(layer) ?? settings.alpha;
    const scaling = alpha / (settings.rankStabilized ? Math.sqrt(rank) : rank);
    return { layer, shape: layers.get(layer)!, rank, scaling };
  });
}

/**
 * As `targetsOf`, for adapters that are to be made: each name must be some layer's.
 * @throws {UserError} where one is none's; the ends that there are get named
 */
export function adaptedLayers(
  layers: ReadonlyMap<string, readonly [number, number]>,
  settings: Targets & Ranks,
): Target[] {
  const lost = lostModules(settings.modules, layers.keys());
  const targets = lost.length > 0 ? [] : targetsOf(layers, settings);
  if (targets.length > 0) return targets;
  const ends = [...new Set([...layers.keys()].map((layer) => layer.slice(layer.lastIndexOf(".") + 1)))];
  throw new UserError(
    `lora.targetModules: no layer of the model is ` +
      `${lost.length > 0 ? `named ${lost.join(", ")}` : "meant by the adapter's settings"}`,
    { hint: `Its linear layers are named ${ends.join(", ")}; or all-linear.` },
  );
}
