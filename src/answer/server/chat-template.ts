import { Template } from "@huggingface/jinja";
import { messageOf, UserError } from "../../base/errors.js";
import { printableName } from "../../base/printable.js";
import { readTokenizerConfig } from "../../tokens/index.js";
import type { ChatMessage } from "../prompts.js";

/** How a chat becomes the text that a model reads. */
export interface ChatTemplate {
  /**
   * A system message that the template refuses goes in front of the user's first. @throws {UserError} where it refuses
   * the chat all the same
   */
  render(messages: readonly ChatMessage[]): string;
  /** Whether the text has the tokenizer's special tokens in it already. */
  readonly hasSpecialTokens: boolean;
  /** Whether the model has one; without one texts are put together. */
  readonly given: boolean;
}

/**
 * The chat template of a model's folder (`chat_template.jinja`, or the key in `tokenizer_config.json`). A model without
 * one reads the messages' texts, a blank line between them: what a base model that was never taught to chat can best
 * use.
 */
export async function chatTemplateOf(folder: string): Promise<ChatTemplate> {
  const {
    chatTemplate: source,
    beginToken: bos_token = "",
    endToken: eos_token = "",
  } = await readTokenizerConfig(folder);
  if (source === undefined)
    return {
      render: (messages) => messages.map(({ content }) => content).join("\n\n"),
      hasSpecialTokens: false,
      given: false,
    };
  let template: Template;
  try {
    template = new Template(source);
  } catch (error) {
    throw new UserError(`the chat template in ${folder} cannot be read: ${messageOf(error)}`, {
      hint: "Mend chat_template in tokenizer_config.json (or chat_template.jinja), or copy the tokenizer's files anew.",
      cause: error,
    });
  }
  return {
    render(messages) {
      const written = (chat: readonly ChatMessage[]): string =>
        template.render({
          messages: chat.map(({ role, content }) => ({ role, content })),
          add_generation_prompt: true,
          bos_token,
          eos_token,
        });
      try {
        return written(messages);
      } catch (error) {
        const folded = withoutSystem(messages);
        if (folded) {
          try {
            return written(folded);
          } catch {
            // What it said of the chat as it was given is the better word.
          }
        }
        throw new UserError(`the model's chat template refuses this chat: ${messageOf(error)}`, {
          hint:
            "Send messages in the order that the template takes: mostly user and assistant in turns, and a " +
            "system message first if at all.",
          cause: error,
        });
      }
    },
    given: true,
    hasSpecialTokens: /\bbos_token\b/.test(source) || (bos_token !== "" && source.includes(bos_token)),
  };
}

/** @throws {UserError} where a model's folder has no chat template, and it is to be asked in a chat */
export async function requireChatTemplate(folder: string, model: string): Promise<void> {
  if ((await chatTemplateOf(folder)).given) return;
  throw new UserError(`${printableName(model)} has no chat template: it cannot be asked in a chat`, {
    hint:
      "Take an instruction-tuned model; or ask this one with a plain prompt: --set answerer.prompt=gemma-2 --set " +
      "answerer.questionsPerRequest=1.",
  });
}

/**
 * The chat with its system message in front of the user's first one, a blank line between them, as Gemma 3's own
 * template has it: for templates such as Gemma 2's, which know no such role. Undefined where the chat does not begin
 * so.
 */
function withoutSystem([system, user, ...rest]: readonly ChatMessage[]): ChatMessage[] | undefined {
  if (system?.role !== "system" || user?.role !== "user") return undefined;
  return [{ role: "user", content: `${system.content}\n\n${user.content}` }, ...rest];
}
