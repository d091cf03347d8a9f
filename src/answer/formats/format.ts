import type { Row } from "../../tasks/index.js";
import type { ChatMessage, InstructionName } from "../prompts.js";

/** What a prompt may be told besides its rows. */
export interface FormatOptions {
  /** In which language the chat of numbered questions is instructed. */
  readonly instruction: InstructionName;
  /** The system message; null for the format's own, an empty one for none. */
  readonly systemMessage: string | null;
}

/** How questions are put to a model. A format is one file with one of these, named in `index.ts`. */
export interface PromptFormat {
  /** In a few words, as a list of them has it. */
  readonly description: string;
  /** Turns of a chat, or a text to go on from. */
  readonly kind: "chat" | "text";
  /** Whether one prompt may ask several questions. */
  readonly several: boolean;
  /** What stands in front of a letter that answers: ` ` behind `Answer:` of a plain text. */
  readonly beforeLetter: string;
  /**
   * The prompt that asks some rows, one unless `several`, with examples and their answers in front of them.
   * @throws {UserError} where a row cannot be asked so
   */
  write(rows: readonly Row[], examples: readonly Row[], options: FormatOptions): readonly ChatMessage[] | string;
}

/** A chat: the system's message where there is one, each example as a turn of question and answer, the question. */
export const chatOf = (
  system: string | undefined,
  examples: readonly (readonly [asked: string, answered: string])[],
  question: string,
): ChatMessage[] => [
  ...(system ? [{ role: "system" as const, content: system }] : []),
  ...examples.flatMap(([asked, answered]) => [
    { role: "user" as const, content: asked },
    { role: "assistant" as const, content: answered },
  ]),
  { role: "user", content: question },
];
