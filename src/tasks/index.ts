export { CATEGORIES, type Category, categoryOf, isMmluSubject, SUBJECTS } from "./mmlu-subjects.js";
export { cleanSubject, LANGUAGES, type Language, mmmlu } from "./mmmlu.js";
export { byOwnLetters, letterUnder, ownLetter, turned } from "./orders.js";
export { guessedColumns, isOwnFile, ownRows } from "./own-rows.js";
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
