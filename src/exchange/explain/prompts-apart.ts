import type { Result } from "../result.js";
import { ASPECTS, type Aspect, aspectsApart } from "./prompt-aspects.js";

/** Prompts that are laid side by side at most: rows spread over all. */
export const COMPARED_PROMPTS = 2000;

/** Prompts of two results, row by row. */
export interface PromptsCompared {
  /** Rows whose prompts are known of both, and were laid side by side. */
  readonly compared: number;
  /** Rows in which a model read the same. */
  readonly same: readonly string[];
  readonly apart: readonly {
    readonly aspect: Aspect;
    readonly rows: number;
    /** A row, and the first place in it at which the prompts differ. */
    readonly example: { readonly id: string; readonly first: string; readonly second: string };
  }[];
}

/** Some of the rows, spread evenly over all. */
export const spread = <T>(all: readonly T[], most = COMPARED_PROMPTS): readonly T[] =>
  all.length <= most ? all : Array.from({ length: most }, (_, index) => all[Math.floor((index * all.length) / most)]!);

/** Lays prompts of two results side by side; undefined where those of one are not known. */
export function comparePrompts(a: Result, b: Result): PromptsCompared | undefined {
  const both = a.predictions
    .map(({ id }) => id)
    .filter((id) => a.texts.get(id)?.prompt !== undefined && b.texts.get(id)?.prompt !== undefined);
  if (both.length === 0) return undefined;
  const same: string[] = [];
  const apart = new Map<Aspect, { rows: number; example: { id: string; first: string; second: string } }>();
  const ids = spread(both);
  for (const id of ids) {
    const found = aspectsApart(a.texts.get(id)!, b.texts.get(id)!);
    if (found.length === 0) same.push(id);
    for (const { aspect, first, second } of found) {
      const known = apart.get(aspect);
      if (known) known.rows++;
      else apart.set(aspect, { rows: 1, example: { id, ...firstPlace(first, second) } });
    }
  }
  return {
    compared: ids.length,
    same,
    apart: ASPECTS.flatMap((aspect) => {
      const found = apart.get(aspect);
      return found ? [{ aspect, ...found }] : [];
    }),
  };
}

/** Characters that stand before and behind the first place at which two texts differ. */
const [BEFORE, BEHIND] = [24, 48];

function firstPlace(first: string, second: string): { first: string; second: string } {
  const [one, other] = [[...first], [...second]];
  let at = 0;
  while (at < one.length && at < other.length && one[at] === other[at]) at++;
  const start = Math.max(0, at - BEFORE);
  const part = (all: readonly string[]): string =>
    `${start > 0 ? "…" : ""}${all.slice(start, at + BEHIND).join("")}${all.length > at + BEHIND ? "…" : ""}`;
  return { first: part(one), second: part(other) };
}

/** An aspect in words. */
export function aspectInWords(
  { aspect, rows, example: { id, first, second } }: PromptsCompared["apart"][number],
  compared: number,
): string {
  const number = (value: number): string => value.toLocaleString("en");
  return (
    `${aspect}: in ${number(rows)} of ${number(compared)} rows, such as ${id}: ` +
    `${JSON.stringify(first)}, and ${JSON.stringify(second)}`
  );
}
