import type { Prediction } from "../evaluate/index.js";
import { type Letter, languageTag, OPTION_LETTERS } from "../tasks/index.js";
import { plainText, textKey } from "./identify.js";
import { type AskedText, isKnownByText, type Result } from "./result.js";

/** Results whose rows have the same ids where they ask the same. */
export interface Aligned {
  readonly results: readonly Result[];
  /** Of each result, rows that not all others have. */
  readonly unmatched: readonly { readonly name: string; readonly count: number; readonly first: readonly string[] }[];
  /** Rows that all have, with different keys. */
  readonly keysApart: readonly string[];
  /** Of each result, rows whose options stood in another order than in the first result that has them. */
  readonly reordered: ReadonlyMap<string, number>;
  /** Those rows. */
  readonly turned: ReadonlySet<string>;
  /** Rows that were found by their text alone. */
  readonly byText: number;
}

/** Rows that are named of those that are unmatched. */
const NAMED = 5;

/**
 * Gives rows of several results the same id where they ask the same: language, subject and index say it, else the text
 * of question and options, whatever their order. Letters of a row whose options stand in another order are turned
 * into those of the first result that has it.
 */
export function alignResults(given: readonly Result[]): Aligned {
  const known = new Map<string, Prediction>();
  for (const { predictions, texts } of given)
    for (const one of predictions) {
      const text = texts.get(one.id);
      if (isKnownByText(one) || text?.question === undefined || !text.choices) continue;
      for (const language of [languageTag(one.language), "und"]) {
        const key = `${language}\n${textKey(text.question, text.choices)}`;
        if (!known.has(key)) known.set(key, one);
      }
    }
  let byText = 0;
  const found = given.map((result): Result => {
    if (!result.predictions.some(isKnownByText)) return result;
    const texts = new Map(result.texts);
    const seen = new Set(result.predictions.filter((one) => !isKnownByText(one)).map(({ id }) => id));
    const predictions = result.predictions.map((one) => {
      const text = result.texts.get(one.id);
      if (!isKnownByText(one) || text?.question === undefined) return one;
      const key = textKey(text.question, text.choices ?? []);
      const same = known.get(`${languageTag(one.language)}\n${key}`) ?? known.get(`und\n${key}`);
      if (!same || seen.has(same.id)) return one;
      seen.add(same.id);
      byText++;
      texts.set(same.id, text);
      const { id, language, subject, question, category } = same;
      return { ...one, id, language, subject, ...(question ? { question } : {}), ...(category ? { category } : {}) };
    });
    return { ...result, predictions, texts };
  });
  const orders = new Map<string, readonly string[]>();
  for (const { texts } of found)
    for (const [id, { choices }] of texts) if (choices && !orders.has(id)) orders.set(id, choices);
  const reordered = new Map<string, number>();
  const turnedRows = new Set<string>();
  const results = found.map((result): Result => {
    let turned = 0;
    const predictions = result.predictions.map((one) => {
      const order = orderBetween(result.texts.get(one.id), orders.get(one.id));
      if (!order) return one;
      turned++;
      turnedRows.add(one.id);
      return turnedRound(one, order);
    });
    reordered.set(result.name, turned);
    return turned ? { ...result, predictions } : result;
  });
  const tables = results.map(({ predictions }) => new Map(predictions.map((one) => [one.id, one])));
  const everywhere = (id: string): boolean => tables.every((table) => table.has(id));
  return {
    results,
    byText,
    reordered,
    turned: turnedRows,
    unmatched: results.map(({ name, predictions }) => {
      const left = predictions.filter(({ id }) => !everywhere(id));
      return { name, count: left.length, first: left.slice(0, NAMED).map(({ id }) => id) };
    }),
    keysApart: keysApartIn(results),
  };
}

/** Where each of a row's options stands in the other order; undefined where it is the same, or not the same options. */
function orderBetween(text: AskedText | undefined, other: readonly string[] | undefined): number[] | undefined {
  const own = text?.choices;
  if (!own || !other || own === other || own.length !== other.length) return undefined;
  if (own.every((choice, index) => plainText(choice) === plainText(other[index]!))) return undefined;
  const places = own.map((choice) => other.findIndex((one) => plainText(one) === plainText(choice)));
  return places.includes(-1) || new Set(places).size !== places.length ? undefined : places;
}

function turnedRound(one: Prediction, order: readonly number[]): Prediction {
  const letter = <L extends Letter | null>(given: L): L => {
    const place = given === null ? -1 : order[OPTION_LETTERS.indexOf(given as Letter)];
    return (place === undefined || place < 0 ? given : OPTION_LETTERS[place]!) as L;
  };
  const { logProbabilities } = one;
  return {
    ...one,
    answer: letter(one.answer),
    prediction: letter(one.prediction),
    ...(logProbabilities?.length === order.length
      ? { logProbabilities: order.map((_, place) => logProbabilities[order.indexOf(place)]!) }
      : {}),
  };
}

/** Rows that all of some results have, with different keys. */
export function keysApartIn(results: readonly Pick<Result, "predictions">[]): readonly string[] {
  const [first, ...others] = results.map(
    ({ predictions }) => new Map(predictions.map(({ id, answer }) => [id, answer])),
  );
  return [...(first ?? [])].flatMap(([id, answer]) =>
    others.every((table) => table.has(id)) && others.some((table) => table.get(id) !== answer) ? [id] : [],
  );
}

/** What is said of such rows: nothing where there are none. */
export function keysApartInWords(keysApart: readonly string[]): string[] {
  if (keysApart.length === 0) return [];
  const first = keysApart.slice(0, 5).join(", ");
  return [`${keysApart.length.toLocaleString("en")} rows have different keys, such as ${first}: left out`];
}

/** Results without the rows whose keys differ: those are neither right nor wrong by one measure. */
export function withoutKeysApart({ results, keysApart }: Pick<Aligned, "results" | "keysApart">): readonly Result[] {
  if (keysApart.length === 0) return results;
  const apart = new Set(keysApart);
  return results.map((result) => ({ ...result, predictions: result.predictions.filter(({ id }) => !apart.has(id)) }));
}
