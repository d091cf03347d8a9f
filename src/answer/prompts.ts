import { lettersOfRows, OPTION_LETTERS, type Row } from "../tasks/index.js";
import { instructionIn } from "./instructions.js";

/*
 * The experiments' texts, to the letter: they decide which rows pass the length filter, and what the model is asked. A
 * row of more or fewer options has as many lines of them.
 */

/** A row's options, one a line. */
const options = ({ choices }: Pick<Row, "choices">, line: (letter: string, choice: string) => string): string =>
  choices.map((choice, index) => line(OPTION_LETTERS[index]!, choice)).join("\n");

/** §1, and the text whose tokens §4 counts. */
export function questionAndChoices(row: Pick<Row, "question" | "choices">): string {
  return `Question: ${row.question}\nChoices:\n${options(row, (letter, choice) => `${letter}: ${choice}`)}`;
}

/** §2, flan-t5-finetune. */
export function flanT5Prompt(row: Pick<Row, "question" | "choices">): string {
  return `Question: ${row.question}\n${options(row, (letter, choice) => `${letter}) ${choice}`)}\nAnswer:`;
}

/** §3, gemma-2-2b-finetune, without its `<bos>`. */
export function gemma2Prompt(row: Pick<Row, "question" | "choices">): string {
  return (
    "The following is a multiple-choice question. Provide the letter of the correct answer.\n\n" +
    `Question: ${row.question}\nOptions:\n${options(row, (letter, choice) => `(${letter}) ${choice}`)}\nCorrect Answer:`
  );
}

/** §4, gemma-3-27b-baseline: the user's message for the questions of one request, numbered from 1. */
export function gemma3Prompt(rows: readonly Pick<Row, "question" | "choices">[]): string {
  return rows.map((row, index) => `Q${index + 1}: ${questionAndChoices(row)}\nAnswer:`).join("\n\n");
}

/** The texts of one row that a configuration can name. */
export const rowTexts = {
  "question-and-choices": questionAndChoices,
  "flan-t5": flanT5Prompt,
  "gemma-2": gemma2Prompt,
} as const satisfies Record<string, (row: Pick<Row, "question" | "choices">) => string>;

export type RowTextName = keyof typeof rowTexts;

/** A turn of a chat. */
export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** `english` is the published system prompt; `native` says the same in the rows' own language. */
export type InstructionName = "english" | "native";

/**
 * §4's two messages for the questions of one request.
 * With the native instruction all rows must be of one language; `requestsFor` sees to that.
 * @throws {UserError} where there is no instruction in that language.
 */
export function gemma3Messages(rows: readonly Row[], instruction: InstructionName = "english"): ChatMessage[] {
  const language = instruction === "english" ? "english" : (rows[0] as Row).language;
  return [
    { role: "system", content: instructionIn(language, lettersOfRows(rows)) },
    { role: "user", content: gemma3Prompt(rows) },
  ];
}
