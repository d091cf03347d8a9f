import { UserError } from "../base/errors.js";
import { contentOf } from "../split/index.js";
import { languageTag, questionOf, type Row } from "../tasks/index.js";
import type { ShotSource } from "./protocols/index.js";

/*
 * Examples in front of a question: rows of the same subject with their answers.
 */

export interface ShotOptions {
  /** How many examples stand in front of each question. */
  readonly count: number;
  readonly source: ShotSource;
  /** In the asked row's language, or in English. */
  readonly language: "row" | "english";
  /** The rows that are asked. */
  readonly asked: readonly Row[];
  /** The rows that examples are taken from, in the order of their files. */
  readonly from: readonly Row[];
}

/** Which examples there were, and what of them answers a question that is asked. */
export interface ShotCounts {
  /** Different rows that are an example of another's. */
  readonly examples: number;
  /** Those among them that are asked too, or translate a question that is asked: the prompts show their answers. */
  readonly askedExamples: number;
  /** Asked rows. */
  readonly prompts: number;
  /** Those whose examples hold the very question that is asked, a translation or an exact duplicate of it. */
  readonly promptsWithOwnAnswer: number;
}

export interface Shots {
  /**
   * The examples in front of some rows that are asked together, of one language and one subject.
   * @throws {UserError} where there are too few, naming language and subject
   */
  examplesOf(rows: readonly Row[]): readonly Row[];
  /** Goes through all asked rows. @throws {UserError} as `examplesOf` */
  count(): ShotCounts;
}

/** Chooses examples: always the same for the same rows, whatever the order in which they are asked. */
export function chooseShots({ count, source, language, asked, from }: ShotOptions): Shots {
  const askedQuestions = new Set(asked.map(questionOf));
  const askedContents = new Set(asked.map(contentOf));
  const isAsked = (row: Row): boolean => askedQuestions.has(questionOf(row)) || askedContents.has(contentOf(row));
  const pool = new Map<string, Row[]>();
  const placeOf = (tag: string, subject: string): string => JSON.stringify([tag, subject]);
  for (const row of from) {
    if (source === "disjoint" && isAsked(row)) continue;
    const place = placeOf(languageTag(row.language), row.subject);
    const rows = pool.get(place);
    if (rows) rows.push(row);
    else pool.set(place, [row]);
  }

  const examplesOf = (rows: readonly Row[]): readonly Row[] => {
    const [first] = rows as [Row];
    const tag = language === "english" ? "en" : languageTag(first.language);
    const candidates = pool.get(placeOf(tag, first.subject)) ?? [];
    const found: Row[] = [];
    for (const row of candidates) {
      if (found.length === count) break;
      if (source === "first_n_with_itself" || !rows.some((one) => isSame(one, row, source))) found.push(row);
    }
    if (found.length < count)
      throw new UserError(
        `${first.subject} in ${language === "english" ? "English" : first.language} has ${found.length} rows for ` +
          `examples, and answerer.shots=${count} wants ${count}`,
        {
          hint:
            source === "disjoint" ? DISJOINT : "Set answerer.shots lower, or take more rows (data.rowsPerLanguage).",
        },
      );
    return found;
  };

  return {
    examplesOf,
    count() {
      const examples = new Map<string, Row>();
      let promptsWithOwnAnswer = 0;
      for (const row of asked) {
        const own = examplesOf([row]);
        for (const example of own) examples.set(example.id, example);
        if (own.some((example) => holds(example, row))) promptsWithOwnAnswer++;
      }
      const askedExamples = [...examples.values()].filter(isAsked).length;
      return { examples: examples.size, askedExamples, prompts: asked.length, promptsWithOwnAnswer };
    },
  };
}

const DISJOINT =
  "All other rows are asked, or translate one that is: leave rows for examples with a split (split.kind=grouped), " +
  "take them from elsewhere (answerer.shotsFrom), or set answerer.shotSource=first_n.";

/** Whether an example has the answer of a question that is asked. */
const holds = (example: Row, row: Row): boolean =>
  questionOf(example) === questionOf(row) || contentOf(example) === contentOf(row);

/** Whether a row is the one that is asked: in the harness the very row, in another language its translation. */
const isSame = (asked: Row, row: Row, source: ShotSource): boolean =>
  source === "first_n" ? asked.id === row.id || questionOf(asked) === questionOf(row) : false;
