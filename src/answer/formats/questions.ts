import { gemma3Messages, gemma3Prompt } from "../prompts.js";
import { chatOf, type PromptFormat } from "./format.js";

/** The published zero-shot experiment's. */
export const questions: PromptFormat = {
  description: "a chat of numbered questions, as gemma-3-27b-baseline asked",
  kind: "chat",
  several: true,
  beforeLetter: "",
  write(rows, examples, { instruction, systemMessage }) {
    const [system, user] = gemma3Messages(rows, instruction);
    return chatOf(
      systemMessage ?? system!.content,
      examples.map((row) => [gemma3Prompt([row]), row.answer]),
      user!.content,
    );
  },
};
