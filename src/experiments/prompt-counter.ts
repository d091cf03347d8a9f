import { type AnswerRequest, chatTemplateOf, encodePrompt } from "../answer/index.js";
import type { Tokenizer, TokenizerFiles } from "../tokens/index.js";

type Prompt = AnswerRequest["prompt"];

/** Counts the tokens of prompts, as whoever is asked will read them or as near to that as is known here. */
export interface PromptCounter {
  /** By whose tokenizer; undefined where the count is a guess from the texts' bytes. */
  readonly tokenizer?: string;
  /** Whether a chat's template is among what is counted. */
  readonly chatTemplate: boolean;
  count(prompts: readonly Prompt[]): Promise<readonly number[]>;
}

/**
 * Counts by a tokenizer: plain texts with its special tokens, chats by its folder's template, or where there is none
 * their contents alone.
 * @param chatTemplate path of a template that takes the place of the folder's own
 */
export async function promptCounter(files: TokenizerFiles, chatTemplate?: string | null): Promise<PromptCounter> {
  const [tokenizer, template] = [await files.load(), await chatTemplateOf(files.folder, chatTemplate)];
  const chats = (prompts: readonly Prompt[]): Promise<readonly number[]> =>
    template.given
      ? Promise.all(prompts.map(async (prompt) => (await encodePrompt(prompt, tokenizer, template)).length))
      : contents(prompts, tokenizer, false);
  return {
    tokenizer: files.source,
    chatTemplate: template.given,
    count: async (prompts) =>
      prompts.every((prompt) => typeof prompt === "string") ? contents(prompts, tokenizer, true) : chats(prompts),
  };
}

async function contents(
  prompts: readonly Prompt[],
  tokenizer: Tokenizer,
  specialTokens: boolean,
): Promise<readonly number[]> {
  const texts = prompts.map(textsOf);
  const counts = await tokenizer.count(texts.flat(), specialTokens);
  let at = 0;
  return texts.map((parts) => parts.reduce((sum) => sum + counts[at++]!, 0));
}

const textsOf = (prompt: Prompt): readonly string[] =>
  typeof prompt === "string" ? [prompt] : prompt.map(({ content }) => content);

/** Bytes of text that make a token, where nothing better is known. */
const BYTES_A_TOKEN = 4;

/** Guesses where no tokenizer is at hand. */
export const byBytes: PromptCounter = {
  chatTemplate: false,
  count: async (prompts) => prompts.map((prompt) => Buffer.byteLength(textsOf(prompt).join("\n")) / BYTES_A_TOKEN),
};
