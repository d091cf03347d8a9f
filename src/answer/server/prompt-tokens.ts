import type { Tokenizer } from "../../tokens/index.js";
import type { ChatMessage } from "../prompts.js";
import type { ChatTemplate } from "./chat-template.js";

/**
 * The token ids of a plain text or a chat. In a plain text special tokens are what their names say, as in transformers.
 * In a chat only the template writes them: what a message has of their names is text, or a user could close their own
 * turn and speak as the model (transformers and vLLM let them: `<end_of_turn>` in a message is the control token
 * there).
 */
export async function encodePrompt(
  prompt: string | readonly ChatMessage[],
  tokenizer: Tokenizer,
  template: ChatTemplate,
): Promise<number[]> {
  let ids: number[];
  if (typeof prompt === "string") ids = await tokenizer.encode(prompt, true);
  else {
    const { messages, mark } = withMarks(prompt, tokenizer.specialTokens);
    const [first = "", ...rest] =
      mark === undefined ? [template.render(messages)] : template.render(messages).split(mark);
    ids = await encodeParts(tokenizer, first, rest, !template.hasSpecialTokens);
  }
  // Who writes `<bos>` into the text means the one that the tokenizer puts there anyway; with two of them Gemma
  // collapses.
  const begin = tokenizer.bosToken === undefined ? undefined : tokenizer.tokenId(tokenizer.bosToken);
  return begin !== undefined && ids[0] === begin && ids[1] === begin ? ids.slice(1) : ids;
}

/** Parts are encoded each by itself, the tokens that the tokenizer puts around a text around all of them. */
async function encodeParts(
  tokenizer: Tokenizer,
  first: string,
  rest: readonly string[],
  specialTokens: boolean,
): Promise<number[]> {
  if (rest.length === 0) return tokenizer.encode(first, specialTokens);
  const ids = await tokenizer.encode(first, false);
  for (const part of rest) for (const id of await tokenizer.encode(part, false)) ids.push(id);
  if (!specialTokens) return ids;
  const [around, bare] = [await tokenizer.encode("a", true), await tokenizer.encode("a", false)];
  const opening = around.indexOf(bare[0]!);
  return [...around.slice(0, opening), ...ids, ...around.slice(opening + bare.length)];
}

/**
 * The messages with a mark inside each name of a special token, where the text is to be divided: `<|bos>`, so that no
 * part has the whole name. Undefined where no message has one.
 */
function withMarks(
  messages: readonly ChatMessage[],
  specialTokens: readonly string[],
): { readonly messages: readonly ChatMessage[]; readonly mark?: string } {
  const names = specialTokens.filter((name) => name.length > 1);
  if (!messages.some(({ content }) => names.some((name) => content.includes(name)))) return { messages };
  const taken = messages.map(({ content }) => content).join("");
  let code = 0xe000;
  while (taken.includes(String.fromCharCode(code))) code++;
  const mark = String.fromCharCode(code);
  const begins = new RegExp(`(?=${names.map((name) => name.replace(/[^\p{L}\p{N}]/gu, "\\$&")).join("|")})[^]`, "g");
  return {
    messages: messages.map(({ role, content }) => ({ role, content: content.replace(begins, `$&${mark}`) })),
    mark,
  };
}
