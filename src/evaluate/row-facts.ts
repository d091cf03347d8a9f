import { z } from "zod";
import { lettersOf, mmmlu, OPTION_LETTERS, partsOfId, questionOf, type Row } from "../tasks/index.js";

/** What a row's id does not tell and what is said of its answer needs; absent where it is as in MMMLU. */
export interface RowFacts {
  /** How many options it has. */
  readonly options?: number;
  /** What its translations share; without it, the id's subject and index. */
  readonly question?: string;
  /** Its subject's category; without it, MMLU's. */
  readonly category?: string;
}

export const rowFactsSchema = z.object({
  options: z.number().int().min(2).max(OPTION_LETTERS.length).optional(),
  question: z.string().min(1).max(1000).optional(),
  category: z.string().max(1000).optional(),
}) satisfies z.ZodType<RowFacts>;

/** The facts of a row. */
export const factsOfRow = ({ choices, key, category }: Row): RowFacts => ({
  ...(choices.length === mmmlu.letters.length ? {} : { options: choices.length }),
  ...(key === undefined ? {} : { question: key }),
  ...(category === undefined ? {} : { category }),
});

/** The facts of several rows; undefined where all are as in MMMLU. */
export function factsOfRows(rows: readonly Row[]): readonly RowFacts[] | undefined {
  const facts = rows.map(factsOfRow);
  return facts.some((one) => Object.keys(one).length > 0) ? facts : undefined;
}

/** How many options an answered row had. */
export const optionsOf = ({ options }: RowFacts): number => options ?? mmmlu.letters.length;

/** The letters of the options of the widest of some answered rows. */
export const lettersOfAnswers = (answers: readonly RowFacts[]): ReturnType<typeof lettersOf> =>
  lettersOf(answers.reduce((most, one) => Math.max(most, optionsOf(one)), answers.length ? 0 : mmmlu.letters.length));

/** The question that an answered row asks, whatever its language. */
export const questionOfAnswer = ({ id, question }: RowFacts & { readonly id: string }): string =>
  question ?? questionOf(partsOfId(id));
