import { UserError } from "../../base/errors.js";
import { categoryOf, type Letter } from "../../tasks/index.js";
import type { Prediction } from "../prediction.js";
import { questionOfAnswer } from "../row-facts.js";
import { isCorrect } from "../statistics/cluster.js";
import type { ComparedRun } from "../statistics/comparison.js";

/** Answers of runs by question and language: a place is `question × languages + language`. */
export interface ParallelTable {
  readonly languages: readonly string[];
  readonly questions: readonly string[];
  /** Of each question, from its first row. */
  readonly subjects: readonly string[];
  readonly categories: readonly string[];
  /** The true letter at each place; undefined where no run answered it. */
  readonly keys: readonly (Letter | undefined)[];
  /** Each row's id. */
  readonly ids: readonly (string | undefined)[];
  readonly runs: readonly ParallelRun[];
}

export interface ParallelRun {
  readonly name: string;
  /** 1 right, 0 wrong or unreadable, −1 not asked. */
  readonly right: Int8Array;
  readonly cells: readonly (Prediction | undefined)[];
}

/**
 * Lays runs' answers out by question and language. Memory: some 40 bytes a place and run beside the predictions.
 * @throws {UserError} where there are fewer than two languages, or no question in two of them
 */
export function parallelTable(runs: readonly ComparedRun[]): ParallelTable {
  const languages = [...new Set(runs.flatMap(({ predictions }) => predictions.map(({ language }) => language)))].sort();
  if (languages.length < 2)
    throw new UserError(
      `${runs.map(({ name }) => name).join(", ")}: all rows are of one language (${languages[0] ?? "none"})`,
      { hint: "Give a run of several languages, such as --languages DE_DE,FR_FR." },
    );
  const languageAt = new Map(languages.map((language, at) => [language, at]));
  const questionAt = new Map<string, number>();
  const [subjects, categories]: [string[], string[]] = [[], []];
  for (const { predictions } of runs)
    for (const one of predictions) {
      const question = questionOfAnswer(one);
      if (questionAt.has(question)) continue;
      questionAt.set(question, questionAt.size);
      subjects.push(one.subject);
      categories.push(one.category ?? categoryOf(one.subject));
    }
  const places = questionAt.size * languages.length;
  const keys = new Array<Letter | undefined>(places);
  const ids = new Array<string | undefined>(places);
  const laid = runs.map(({ name, predictions }): ParallelRun => {
    const right = new Int8Array(places).fill(-1);
    const cells = new Array<Prediction | undefined>(places);
    for (const one of predictions) {
      const place = questionAt.get(questionOfAnswer(one))! * languages.length + languageAt.get(one.language)!;
      right[place] = isCorrect(one) ? 1 : 0;
      cells[place] = one;
      keys[place] ??= one.answer;
      ids[place] ??= one.id;
    }
    return { name, right, cells };
  });
  const questions = [...questionAt.keys()];
  const shared = questions.some((_, question) => {
    let there = 0;
    for (let l = 0; l < languages.length; l++) if (ids[question * languages.length + l] !== undefined) there++;
    return there > 1;
  });
  if (!shared)
    throw new UserError(`${runs.map(({ name }) => name).join(", ")}: no question was asked in two languages`, {
      hint:
        "A lens needs translations of the same questions: a split of kind grouped, or none, keeps them together " +
        "(split.kind=grouped).",
    });
  return { languages, questions, subjects, categories, keys, ids, runs: laid };
}
