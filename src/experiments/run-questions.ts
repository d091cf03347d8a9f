import type { AskedText } from "../exchange/index.js";
import type { QuestionsOf } from "../report/index.js";
import type { ExperimentConfiguration } from "./configuration/schema.js";
import type { RunContext } from "./context.js";
import { configurationIn, rowsOfLanguages } from "./written-prompt.js";

/** Languages whose questions stay in memory: one of MMMLU takes some 15 MB. */
const KEPT = 4;

/**
 * Reads the questions of a run's rows anew, a language at a time: runs keep none.
 * @param context `offline` where no row may be fetched
 */
export function questionReader(context: RunContext): QuestionsOf {
  const kept = new Map<string, Promise<ReadonlyMap<string, AskedText>>>();
  return async (path, language) => {
    const { start, configuration } = await configurationIn(path);
    const place = JSON.stringify([path, start.started, language]);
    const found = kept.get(place) ?? questionsIn(configuration.data, language, context);
    kept.delete(place);
    kept.set(place, found);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value!);
    try {
      return await found;
    } catch (error) {
      kept.delete(place);
      throw error;
    }
  };
}

async function questionsIn(
  data: ExperimentConfiguration["data"],
  language: string,
  context: RunContext,
): Promise<ReadonlyMap<string, AskedText>> {
  const texts = new Map<string, AskedText>();
  for (const row of (await rowsOfLanguages(data, [language], context)).rows)
    if (row.language === language) texts.set(row.id, { question: row.question, choices: row.choices });
  return texts;
}
