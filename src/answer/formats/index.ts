/** How questions are put: one more format is a file here and a line in this one. */

import type { PromptFormat } from "./format.js";
import { mmlu } from "./mmlu.js";
import { flanT5, gemma2 } from "./plain.js";
import { questions } from "./questions.js";
import { simpleEvalsFormat } from "./simple-evals.js";

export type { FormatOptions, PromptFormat } from "./format.js";
export { type PromptTemplate, templateFormat, templateProblem } from "./template.js";

/** All formats by the names that configurations give them. */
export const promptFormats = {
  questions,
  "flan-t5": flanT5,
  "gemma-2": gemma2,
  mmlu,
  "simple-evals": simpleEvalsFormat,
} as const satisfies Record<string, PromptFormat>;

export type PromptName = keyof typeof promptFormats;

/** The names of all formats, as a configuration's schema needs them. */
export const promptNames = Object.keys(promptFormats) as [PromptName, ...PromptName[]];
