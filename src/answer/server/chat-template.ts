import { Template } from "@huggingface/jinja";
import { messageOf, UserError } from "../../base/errors.js";
import { printableName } from "../../base/printable.js";
import { readChatTemplate, readTokenizerConfig } from "../../tokens/index.js";
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
  /** Whether there is one. */
  readonly given: boolean;
}

/**
 * The chat template of a model's folder (`chat_template.jinja`, or the key in `tokenizer_config.json`), or the one in a
 * file. A model without one refuses chats: what it would read was not what it was taught.
 * @param file path of a Jinja template that takes the place of the model's own
 * @throws {UserError} where it cannot be read, or is no template
 */
export async function chatTemplateOf(folder: string, file?: string | null): Promise<ChatTemplate> {
  const { chatTemplate: own, beginToken: bos_token = "", endToken: eos_token = "" } = await readTokenizerConfig(folder);
  const source = file ? await readChatTemplate(file) : own;
  if (source === undefined)
    return {
      render() {
        throw new UserError("the model has no chat template: it cannot be asked in a chat", {
          hint: "Ask it by /v1/completions, or start the server with a template: mmmlu serve --chat-template FILE.",
        });
      },
      hasSpecialTokens: false,
      given: false,
    };
  let template: Template;
  try {
    template = new Template(source);
  } catch (error) {
    throw new UserError(`the chat template in ${file ?? folder} cannot be read: ${messageOf(error)}`, {
      hint: file
        ? "A chat template is written in Jinja, as transformers reads it."
        : "Mend chat_template in tokenizer_config.json (or chat_template.jinja), or copy the tokenizer's files anew.",
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

/** @throws {UserError} where a model that is to be asked in a chat has no chat template, and none is given */
export async function requireChatTemplate(folder: string, model: string, file?: string | null): Promise<void> {
  if ((await chatTemplateOf(folder, file)).given) return;
  throw new UserError(`${printableName(model)} has no chat template: it cannot be asked in a chat`, {
    hint:
      "Take an instruction-tuned model; or ask this one with a plain prompt: --set answerer.prompt=gemma-2 --set " +
      "answerer.questionsPerRequest=1; or give a template: --set answerer.chatTemplate=FILE.",
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
