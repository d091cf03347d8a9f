import { lettersOf } from "./row.js";
import type { Task } from "./task.js";

const LANGUAGES =
  "am ar bn cs de el en es fa fil fr ha he hi id ig it ja ko ky lt mg ms ne nl ny pl pt ro ru si sn so sr sv " +
  "sw te tr uk vi yo zh";

/** MMLU's test questions in 42 languages, by translators and machines (Singh et al. 2024). */
export const globalMmlu = {
  name: "global-mmlu",
  description: "Global-MMLU: MMLU's 14,042 test questions in 42 languages, partly translated by machines",
  hub: { repository: "CohereLabs/Global-MMLU", revision: null },
  languages: Object.fromEntries(LANGUAGES.split(" ").map((code) => [code, code])),
  file: (language) => `${language}/test-*.parquet`,
  columns: {
    index: "sample_id",
    subject: "subject",
    category: "subject_category",
    question: "question",
    options: ["option_a", "option_b", "option_c", "option_d"],
    answer: "answer",
  },
  answers: "letter",
  letters: lettersOf(4),
  everyOption: true,
  emptyCells: "counted",
  // MMLU's own numbers, so that a row has the key of the question that it translates.
  indexOf: (cell, subject) => {
    const number = cell.startsWith(`${subject}/test/`) ? cell.slice(subject.length + 6) : "";
    return /^\d{1,9}$/.test(number) ? Number(number) : undefined;
  },
  indexForm: "its subject, test and a whole number, such as anatomy/test/0",
  idPrefix: "global-mmlu",
  translations: "mmlu",
} as const satisfies Task;
