/**
 * Sets of questions: where their rows are, their columns, languages and letters.
 *
 * ```ts
 * import { languageInEnglish, taskNamed, tasks } from "mmmlu-lab/tasks";
 *
 * console.log(tasks.map(({ name }) => name).join(", "));
 * const { letters, languages } = taskNamed("mmmlu");
 * console.log(letters.join(""), Object.keys(languages).map(languageInEnglish).join(", "));
 * ```
 *
 * @module
 */

export { CATEGORIES, type Category, categoryOf, isMmluSubject, SUBJECTS } from "./mmlu-subjects.js";
export { cleanSubject, LANGUAGES, type Language, mmmlu } from "./mmmlu.js";
export { byOwnLetters, letterUnder, ownLetter, turned } from "./orders.js";
export { columnBehindOptions, guessedColumns, isOwnFile, ownRows } from "./own-rows.js";
export { languageInEnglish, languagesAmong, languageTag, taskNamed, taskOfSource, tasks } from "./registry.js";
export {
  type Letter,
  lettersOf,
  lettersOfRows,
  OPTION_LETTERS,
  partsOfId,
  questionOf,
  type Row,
  rowId,
} from "./row.js";
export { type AnswerForm, answerForms, chanceOf, type Task, type TaskColumns, wholeNumber } from "./task.js";
