import { messageOf } from "../base/errors.js";
import {
  type Aligned,
  type AskedText,
  alignResults,
  isKnownByText,
  keysApartInWords,
  type Result,
  spread,
  turnsAsText,
} from "../exchange/index.js";
import type { WrittenPrompt } from "../report/index.js";
import type { RunContext } from "./context.js";
import { rowsOfRun } from "./lens-labels.js";
import { promptsOfRun } from "./written-prompt.js";

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
  const found = alignResults(withTexts);
  // A prompt is laid beside another tool's only: of two of ours the configurations tell what differs.
  const aligned =
    options.texts && others ? { ...found, results: await withPrompts(found.results, context, notes) } : found;
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
  notes.push(...keysApartInWords(aligned.keysApart));
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

/** A prompt that was written anew, as a result's texts have it. */
export const asText = ({ prompt, rows }: Pick<WrittenPrompt, "prompt" | "rows">): AskedText => ({
  ...(typeof prompt === "string" ? { prompt } : { prompt: turnsAsText(prompt), turns: prompt }),
  together: rows.length,
});

/** Results with the prompts of our own runs, where another tool's file tells those of the same rows. */
async function withPrompts(
  results: readonly Result[],
  context: RunContext,
  notes: string[],
): Promise<readonly Result[]> {
  const others = results.filter(({ manifest }) => !manifest);
  const told = (id: string): boolean => others.some(({ texts }) => texts.get(id)?.prompt !== undefined);
  return Promise.all(
    results.map(async (result) => {
      if (!result.manifest) return result;
      const wanted = spread(result.predictions.map(({ id }) => id).filter(told));
      if (wanted.length === 0) return result;
      const stage = result.predictions[0]!.stage;
      const number = (value: number): string => value.toLocaleString("en");
      try {
        const { prompts, missing } = await promptsOfRun(result.path, stage, new Set(wanted), context);
        const texts = new Map(result.texts);
        for (const [id, written] of prompts) texts.set(id, { ...texts.get(id), ...asText(written) });
        const sent = [...prompts.values()].filter(({ asSent }) => asSent).length;
        if (prompts.size > 0)
          notes.push(
            `${number(prompts.size)} prompts of ${result.name} were written anew from its configuration and rows` +
              `${sent ? `; ${number(sent)} of them are the very ones that were sent, by their requests' keys` : ""}` +
              `${sent < prompts.size ? `; of ${number(prompts.size - sent)} nobody can tell` : ""}`,
          );
        if (missing > 0) notes.push(`${number(missing)} prompts of ${result.name} cannot be written anew`);
        return { ...result, texts };
      } catch (error) {
        if (context.signal?.aborted) throw error;
        notes.push(`the prompts of ${result.name} cannot be written anew (${messageOf(error)})`);
        return result;
      }
    }),
  );
}
