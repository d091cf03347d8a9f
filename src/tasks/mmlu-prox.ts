import { lettersOf } from "./row.js";
import { type Task, wholeNumber } from "./task.js";

const LANGUAGES = "af ar bn cs de en es fr hi hu id it ja ko mr ne pt ru sr sw te th uk ur vi wo yo zh zu";

/** MMLU-Pro's questions, of up to ten options, in 29 languages (Xuan et al. 2025). */
export const mmluProx = {
  name: "mmlu-prox",
  description: "MMLU-ProX: 11,759 questions of MMLU-Pro with up to ten options, in 29 languages",
  hub: { repository: "li-lab/MMLU-ProX", revision: null },
  languages: Object.fromEntries(LANGUAGES.split(" ").map((code) => [code, code])),
  file: (language) => `${language}/test-*.parquet`,
  columns: {
    index: "question_id",
    subject: "category",
    category: "category",
    question: "question",
    options: Array.from({ length: 10 }, (_, index) => `option_${index}`),
    answer: "answer",
  },
  answers: "letter",
  letters: lettersOf(10),
  everyOption: false,
  emptyCells: "counted",
  indexOf: wholeNumber,
  indexForm: "a whole number",
  idPrefix: "mmlu-prox",
  // Its numbers are not those of MMLU, whose questions some of these are.
  translations: "languages",
} as const satisfies Task;
