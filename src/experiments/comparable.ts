import { messageOf } from "../base/errors.js";
import { type Aligned, type AskedText, alignResults, isKnownByText, type Result } from "../exchange/index.js";
import type { RunContext } from "./context.js";
import { rowsOfRun } from "./lens-labels.js";

/** Results whose rows may be held against each other. */
export interface Comparable extends Aligned {
  /** What a reader must know of it, in sentences. */
  readonly notes: readonly string[];
}

/**
 * Gives rows of results of any tool the same ids where they ask the same. Our own runs' texts are read
 * anew where another tool's rows can be found by their text alone, or all are asked for.
 * @param options `texts`: whether the texts of our own runs are needed in any case
 */
export async function comparableOf(
  results: readonly Result[],
  context: RunContext,
  options: { readonly texts?: boolean } = {},
): Promise<Comparable> {
  const others = results.some(({ manifest }) => !manifest);
  const wanted = options.texts || results.some(({ predictions }) => predictions.some(isKnownByText));
  const notes: string[] = [];
  const withTexts = wanted
    ? await Promise.all(results.map((result) => (result.manifest ? textsOfRun(result, context, notes) : result)))
    : results;
  const aligned = alignResults(withTexts);
  const number = (value: number): string => value.toLocaleString("en");
  for (const { name, notes: own } of aligned.results) for (const note of own) notes.push(`${name}: ${note}`);
  if (others || options.texts)
    for (const { name, count, first } of aligned.unmatched)
      if (count)
        notes.push(
          `${name}: ${number(count)} rows are not in all the others, such as ${first.join(", ")}` +
            `${count > first.length ? " …" : ""}`,
        );
  for (const [name, count] of aligned.reordered)
    if (count)
      notes.push(`${name}: ${number(count)} rows had their options in another order; their letters were turned`);
  if (aligned.byText) notes.push(`${number(aligned.byText)} rows were found by their text`);
  if (aligned.keysApart.length && (others || options.texts))
    notes.push(
      `${number(aligned.keysApart.length)} rows have different keys, such as ` +
        `${aligned.keysApart.slice(0, 5).join(", ")}`,
    );
  return { ...aligned, notes };
}

/** One of our runs with the texts of its rows; without them where they are not to be had, and that is noted. */
async function textsOfRun(result: Result, context: RunContext, notes: string[]): Promise<Result> {
  try {
    const { rows } = await rowsOfRun(result.manifest!, context);
    const ids = new Set(result.predictions.map(({ id }) => id));
    const texts = new Map<string, AskedText>();
    for (const { id, question, choices } of rows) if (ids.has(id)) texts.set(id, { question, choices });
    return { ...result, texts };
  } catch (error) {
    if (context.signal?.aborted) throw error;
    notes.push(`the texts of ${result.name} cannot be read (${messageOf(error)}): rows are matched without them`);
    return result;
  }
}
