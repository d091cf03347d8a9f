import type { Row } from "../../tasks/index.js";
import { flanT5Prompt, gemma2Prompt } from "../prompts.js";
import type { PromptFormat } from "./format.js";

/** A plain text of one row; examples stand in front of it, each with its answer, a blank line between them. */
const plain = (description: string, textOf: (row: Row) => string): PromptFormat => ({
  description,
  kind: "text",
  several: false,
  beforeLetter: " ",
  write: ([row], examples) =>
    examples.map((example) => `${textOf(example)} ${example.answer}\n\n`).join("") + textOf(row as Row),
});

export const flanT5 = plain("a plain text, as flan-t5-finetune asks", flanT5Prompt);
export const gemma2 = plain("a plain text, as gemma-2-2b-finetune asks", gemma2Prompt);
