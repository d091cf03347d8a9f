import { lettersOf } from "./row.js";
import { type Task, wholeNumber } from "./task.js";

/** MMMLU's languages, in the order of the hub's configs. */
export const LANGUAGES = [
  "AR_XY",
  "BN_BD",
  "DE_DE",
  "ES_LA",
  "FR_FR",
  "HI_IN",
  "ID_ID",
  "IT_IT",
  "JA_JP",
  "KO_KR",
  "PT_BR",
  "SW_KE",
  "YO_NG",
  "ZH_CN",
] as const;
export type Language = (typeof LANGUAGES)[number];

/** What lm-evaluation-harness calls them in its prompts. */
export const LANGUAGES_IN_ENGLISH: Readonly<Record<Language, string>> = {
  AR_XY: "Arabic",
  BN_BD: "Bengali",
  DE_DE: "German",
  ES_LA: "Spanish",
  FR_FR: "French",
  HI_IN: "Hindi",
  ID_ID: "Indonesian",
  IT_IT: "Italian",
  JA_JP: "Japanese",
  KO_KR: "Korean",
  PT_BR: "Brazilian Portuguese",
  SW_KE: "Swahili",
  YO_NG: "Yoruba",
  ZH_CN: "Simplified Chinese",
};

/** A subject without the file name that some languages carry behind it (`_test.csv_sw-KE.csv`, `_test-sw-KE.csv`). */
export const cleanSubject = (subject: string): string => subject.replace(/_test[.-].*$/s, "");

/** MMLU's test questions in 14 languages, translated by people; each row has four options, and empty ones are kept. */
export const mmmlu = {
  name: "mmmlu",
  description: "MMMLU: MMLU's 14,042 test questions in 14 languages, translated by people",
  // The data that the published runs used.
  hub: { repository: "openai/MMMLU", revision: "325a01dc3e173cac1578df94120499aaca2e2504" },
  languages: Object.fromEntries(LANGUAGES.map((code) => [code, code.slice(0, 2).toLowerCase()])),
  file: (language) => `test/mmlu_${language.replace("_", "-")}.csv`,
  languageOfFile: (path) => /^test\/mmlu_([A-Z]{2}-[A-Z]{2})\.csv$/.exec(path)?.[1]?.replace("-", "_"),
  columns: {
    // The first column's header is empty in the files.
    index: "Unnamed: 0",
    question: "Question",
    options: ["A", "B", "C", "D"],
    answer: "Answer",
    subject: "Subject",
  },
  answers: "letter",
  letters: lettersOf(4),
  everyOption: true,
  emptyCells: "counted",
  indexOf: wholeNumber,
  indexForm: "a whole number",
  cleanSubject,
  idPrefix: "",
  translations: "mmlu",
} as const satisfies Task;
