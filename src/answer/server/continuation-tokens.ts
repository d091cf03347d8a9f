import type { LocalModel } from "../../models/index.js";
import type { Tokenizer } from "../../tokens/index.js";
import type { ChatTemplate } from "./chat-template.js";
import { encodePrompt } from "./prompt-tokens.js";

/** A context's tokens, and those of each continuation behind it. */
export interface ContinuationTokens {
  readonly context: readonly number[];
  readonly continuations: readonly (readonly number[])[];
}

/**
 * Divides texts as lm-evaluation-harness does: in one sequence a continuation's tokens are those that the whole text
 * has beyond the context's number of them; where an encoder reads the context, the continuation's own.
 */
export async function continuationTokens(
  context: string,
  continuations: readonly string[],
  tokenizer: Tokenizer,
  template: ChatTemplate,
  { promptLogits }: Pick<LocalModel, "promptLogits">,
): Promise<ContinuationTokens> {
  const own = await encodePrompt(context, tokenizer, template);
  const found: number[][] = [];
  for (const continuation of continuations)
    found.push(
      promptLogits
        ? (await encodePrompt(context + continuation, tokenizer, template)).slice(own.length)
        : await tokenizer.encode(continuation, false),
    );
  return { context: own, continuations: found };
}
