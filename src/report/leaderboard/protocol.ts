import { z } from "zod";
import { canonicalJson } from "../../base/canonical.js";
import { type Manifest, protocolOf } from "../../record/index.js";

/** How a run asked and read: figures may be compared where it is the same. */
export interface BoardProtocol {
  /** The protocol's name; of the published experiments' own, the prompt's. */
  readonly name: string;
  /** Worked examples in front of each question. */
  readonly shots: number;
  /** All else that can change a figure. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** The protocol of a run; undefined of one that asked nothing. */
export function boardProtocol(manifest: Pick<Manifest, "protocol" | "configuration">): BoardProtocol | undefined {
  const facts = protocolOf(manifest);
  if (!facts) return undefined;
  // The plain asking of each row counts, whatever further ones there are.
  const { name, shots, permutations: _orders, repeats: _repeats, ...settings } = facts;
  return { name: name === "published" ? facts.prompt : name, shots, settings };
}

/** Where settings differ from others, in words; a key that only one side has is passed over. */
export const settingDifferences = (
  own: BoardProtocol["settings"],
  others: BoardProtocol["settings"],
): readonly string[] =>
  Object.entries(own)
    .filter(([key, value]) => key in others && canonicalJson(value) !== canonicalJson(others[key]))
    .map(([key, value]) => `${key} ${JSON.stringify(value)}, not ${JSON.stringify(others[key])}`);

const rowsSchema = z.looseObject({
  split: z.looseObject({ kind: z.string(), shape: z.string(), seed: z.number() }).nullish(),
  filter: z.looseObject({ text: z.string(), maxTokens: z.number() }).nullish(),
  data: z.looseObject({ rowsPerLanguage: z.number().nullish(), limit: z.number().nullish() }).optional(),
});

/** Which of a data set's rows a run asked, in a few words. */
export function rowsInWords(configuration: unknown): string {
  const { split, filter, data } = rowsSchema.safeParse(configuration).data ?? {};
  return [
    split ? `${split.kind} ${split.shape}${split.seed === 42 ? "" : `, seed ${split.seed}`}` : "all",
    ...(filter ? [`≤ ${filter.maxTokens} tokens`] : []),
    ...(data?.limit ? [`${data.limit} questions drawn`] : []),
    ...(data?.rowsPerLanguage ? [`first ${data.rowsPerLanguage} a language`] : []),
  ].join(", ");
}
