import { type Letter, lettersOf, OPTION_LETTERS, type Row } from "./row.js";

/*
 * Cyclic orders of a question's options: under order 1 the second option stands first, and the first last.
 */

/** A row with its options turned round by so many places; order 0 is the row itself. */
export function turned(row: Row, order: number): Row {
  const options = row.choices.length;
  if (order % options === 0) return row;
  const choices = row.choices.map((_, place) => row.choices[(place + order) % options]!);
  // By name: a row may give its texts by getters, which a spread passes over.
  const { id, language, subject, index, question, key, category } = row;
  return {
    ...{ id, language, subject, index, question, choices },
    answer: letterUnder(row.answer, order, options),
    ...(key === undefined ? {} : { key }),
    ...(category === undefined ? {} : { category }),
  };
}

/** The letter that an option has under an order. */
export const letterUnder = (letter: Letter, order: number, options: number): Letter =>
  lettersOf(options)[modulo(OPTION_LETTERS.indexOf(letter) - order, options)]!;

/** The row's own letter of the option that has this letter under an order. */
export const ownLetter = (shown: Letter, order: number, options: number): Letter => letterUnder(shown, -order, options);

/** Values by the letters that options have under an order, by the row's own letters. */
export const byOwnLetters = <T>(values: readonly T[], order: number): T[] =>
  values.map((_, own) => values[modulo(own - order, values.length)]!);

const modulo = (value: number, n: number): number => ((value % n) + n) % n;
