import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Template } from "@huggingface/jinja";
import { messageOf, UserError } from "../../base/errors.js";
import { readJson } from "../../base/files.js";
import type { ChatMessage } from "../prompts.js";

/** How a chat becomes the text that a model reads. */
export interface ChatTemplate {
  /** @throws {UserError} where the template refuses the chat */
  render(messages: readonly ChatMessage[]): string;
  /** Whether the text has the tokenizer's special tokens in it already. */
  readonly hasSpecialTokens: boolean;
}

type TokenName = string | { readonly content?: string } | null | undefined;

const contentOf = (token: TokenName): string => (typeof token === "string" ? token : (token?.content ?? ""));

/**
 * The chat template of a model's folder (`chat_template.jinja`, or the key in `tokenizer_config.json`). A model without one
 * reads the messages' texts, a blank line between them: what a base model that was never taught to chat can best use.
 */
export async function chatTemplateOf(folder: string): Promise<ChatTemplate> {
  const configPath = join(folder, "tokenizer_config.json");
  const config = existsSync(configPath) ? await readJson<{ chat_template?: unknown; bos_token?: TokenName; eos_token?: TokenName }>(configPath) : {};
  const file = join(folder, "chat_template.jinja");
  const source = existsSync(file) ? await readFile(file, "utf8") : templateOf(config.chat_template);
  if (source === undefined) return { render: (messages) => messages.map(({ content }) => content).join("\n\n"), hasSpecialTokens: false };
  let template: Template;
  try {
    template = new Template(source);
  } catch (error) {
    throw new UserError(`the chat template in ${folder} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  const [bos_token, eos_token] = [contentOf(config.bos_token), contentOf(config.eos_token)];
  return {
    render(messages) {
      try {
        return template.render({ messages: messages.map(({ role, content }) => ({ role, content })), add_generation_prompt: true, bos_token, eos_token });
      } catch (error) {
        throw new UserError(`the model's chat template refuses this chat: ${messageOf(error)}`, { cause: error });
      }
    },
    hasSpecialTokens: /\bbos_token\b/.test(source) || (bos_token !== "" && source.includes(bos_token)),
  };
}

/** One template, or the one named `default` of several. */
function templateOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return undefined;
  const named = (value as { name?: string; template?: string }[]).find(({ name }) => name === "default");
  return named?.template;
}
