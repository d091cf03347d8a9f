import { languageInEnglish, OPTION_LETTERS, type Row } from "../../tasks/index.js";
import { strip } from "../reading/python-text.js";
import type { PromptFormat } from "./format.js";
import { readByPandas } from "./pandas.js";

/** A cell that pandas reads as missing is written by the harness's templates as `None`. */
const cell = (text: string): string => readByPandas(text, "None");

/** A row, as lm-evaluation-harness's `doc_to_text` of its task `mmmlu`. */
const textOf = ({ question, choices }: Row): string =>
  [
    strip(cell(question)),
    ...choices.map((choice, index) => `${OPTION_LETTERS[index]}. ${cell(choice)}`),
    "Answer:",
  ].join("\n");

/** MMLU's own context (Hendrycks et al. 2021), as lm-evaluation-harness writes it for MMMLU. */
export const mmlu: PromptFormat = {
  description: "a plain text under MMLU's own heading, as lm-evaluation-harness's task mmmlu writes it",
  kind: "text",
  several: false,
  beforeLetter: " ",
  write(rows, examples) {
    const row = rows[0] as Row;
    const subject = row.subject.replaceAll("_", " ");
    return (
      `The following are multiple choice questions (with answers) about ${subject} ` +
      `(${languageInEnglish(row.language)}).\n\n` +
      examples.map((example) => `${textOf(example)} ${example.answer}\n\n`).join("") +
      textOf(row)
    );
  },
};
