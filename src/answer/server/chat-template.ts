import { Template } from "@huggingface/jinja";
import { messageOf, UserError } from "../../base/errors.js";
import { printableName } from "../../base/printable.js";
import { withinTime } from "../../base/time-limit.js";
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
    template = withOwnFunctions(new Template(source));
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
        withinTime(MOST_MILLISECONDS, () =>
          template.render({
            messages: chat.map(({ role, content }) => ({ role, content })),
            add_generation_prompt: true,
            bos_token,
            eos_token,
            ...OWN_FUNCTIONS,
          }),
        );
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

/** That a template may take for a chat: real ones take a few. */
const MOST_MILLISECONDS = 2000;

/** The most numbers of a `range`, as Jinja's sandbox in Python has it, which transformers renders in. */
const LONGEST_RANGE = 100_000;

/** `range` of Jinja. @throws {Error} where it is not of whole numbers, or too long */
function boundedRange(...given: readonly unknown[]): number[] {
  const numbers = given.filter((one) => typeof one === "number" || typeof one === "bigint").map(Number);
  const [start, stop] = numbers.length < 2 ? [0, numbers[0]] : numbers;
  const step = numbers[2] ?? 1;
  if (start === undefined || stop === undefined || ![start, stop, step].every(Number.isSafeInteger) || step === 0)
    throw new Error("range() takes whole numbers, and a step that is not 0");
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (length > LONGEST_RANGE)
    throw new Error(`range() of ${length} numbers: more than ${LONGEST_RANGE} are too many, as in Jinja's sandbox`);
  return Array.from({ length }, (_, index) => start + index * step);
}

/** Now, with the directives that templates use, in English as Python has it: the library takes the user's language. */
function englishTime(format: string): string {
  const now = new Date();
  const two = (number: number): string => String(number).padStart(2, "0");
  const month = (style: "short" | "long"): string => new Intl.DateTimeFormat("en-US", { month: style }).format(now);
  const directives: Readonly<Record<string, () => string>> = {
    Y: () => String(now.getFullYear()),
    m: () => two(now.getMonth() + 1),
    d: () => two(now.getDate()),
    b: () => month("short"),
    B: () => month("long"),
    H: () => two(now.getHours()),
    M: () => two(now.getMinutes()),
    "%": () => "%",
  };
  return format.replace(/%([YmdbBHM%])/g, (_, directive: string) => directives[directive]!());
}

/** What is called in the place of functions of the library, by names that no template has. */
const OWN_FUNCTIONS = { "range of mmmlu-lab": boundedRange, "strftime_now of mmmlu-lab": englishTime };

/** A template that calls {@link OWN_FUNCTIONS}: the library lets nobody give its names another meaning. */
function withOwnFunctions(template: Template): Template {
  const open: unknown[] = [template.parsed];
  for (let node = open.pop(); open.length > 0 || node !== undefined; node = open.pop()) {
    if (typeof node !== "object" || node === null) continue;
    for (const part of Object.values(node)) open.push(part);
    const { type, callee } = node as { type?: unknown; callee?: { type?: unknown; value?: unknown } };
    if (type !== "CallExpression" || callee?.type !== "Identifier") continue;
    const own = `${String(callee.value)} of mmmlu-lab`;
    if (Object.hasOwn(OWN_FUNCTIONS, own)) callee.value = own;
  }
  return template;
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
