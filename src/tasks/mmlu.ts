import { lettersOf } from "./row.js";
import type { Task } from "./task.js";

/** MMLU itself, in English (Hendrycks et al. 2021); its rows stand in MMMLU's order. */
export const mmlu = {
  name: "mmlu",
  description: "MMLU: 14,042 test questions in English, the originals of MMMLU's and Global-MMLU's",
  hub: { repository: "cais/mmlu", revision: null },
  languages: { en: "en" },
  file: () => "all/test-*.parquet",
  columns: { subject: "subject", question: "question", options: "choices", answer: "answer" },
  answers: "number-from-0",
  letters: lettersOf(4),
  everyOption: true,
  emptyCells: "counted",
  idPrefix: "mmlu",
  translations: "mmlu",
} as const satisfies Task;
