import { UserError } from "../base/errors.js";
import { type GenerateOptions, type LocalModel, logSumExp } from "../models/index.js";
import { lettersOfRows } from "../tasks/index.js";
import type { Tokenizer } from "../tokens/index.js";
import type { AnswerContext, Answerer, AnswerRequest, RawReply } from "./answerer.js";

export interface LocalAnswererOptions {
  readonly name: string;
  readonly model: LocalModel;
  readonly tokenizer: Tokenizer;
  /** Everything that can change a reply: the model's hash, its training, its quantization. */
  readonly identity: Readonly<Record<string, unknown>>;
  /** Prompts in a batch; a model may want several batches together. */
  readonly batchSize: number;
  /** Prompts are cut to so many tokens on the left, as the published recipe cuts them; undefined for never. */
  readonly maximumPromptTokens?: number;
  /** Whether a reply to a question with these letters can be ended here: its reading cannot change any more. */
  readonly settled?: (text: string, letters: readonly string[]) => boolean;
  /** How a letter is written as the first token of a reply: `A`, or ` A`. Undefined asks for no log-probabilities. */
  readonly letterText?: (letter: string) => string;
  /**
   * The letters of the widest question that will be asked; each must be a token of its own where `letterText` is given.
   */
  readonly letters: readonly string[];
}

/** A model on this machine as an answerer: greedy, in batches, each row ended as soon as its reading is settled. */
export function localAnswerer(options: LocalAnswererOptions): Answerer {
  const { model, tokenizer } = options;
  let letterIds: number[] | undefined;
  return {
    name: options.name,
    description: `${options.name} on this machine, greedy decoding`,
    identity: {
      ...options.identity,
      tokenizer: tokenizer.sha256,
      maximumPromptTokens: options.maximumPromptTokens ?? null,
    },
    requestsAtOnce: options.batchSize * model.batchesTogether,
    async prepare() {
      if (options.letterText) letterIds = await singleTokens(tokenizer, options.letters, options.letterText);
    },
    async answer(requests: readonly AnswerRequest[], { signal }: AnswerContext = {}): Promise<RawReply[]> {
      const prompts: number[][] = [];
      for (const { prompt } of requests) {
        if (typeof prompt !== "string")
          throw new UserError("a local model is asked with plain prompts, not with chats", {
            hint: "Set answerer.prompt to a plain one, such as gemma-2; mmmlu serve takes chats.",
          });
        const ids = await tokenizer.encode(prompt, true);
        // Cut on the right behind the special token in front, as a tokenizer that truncates does.
        prompts.push(options.maximumPromptTokens ? ids.slice(0, options.maximumPromptTokens) : ids);
      }
      const letters = requests.map(({ rows }) => lettersOfRows(rows));
      const firsts = new Map<number, Pick<RawReply, "logProbabilities" | "letterLogit">>();
      const generating: GenerateOptions = {
        maximumNewTokens: Math.max(...requests.map((request) => request.maximumTokens)),
        signal,
        stop:
          options.settled && ((row, tokens) => options.settled?.(roughText(tokenizer, tokens), letters[row]!) === true),
        onFirstLogits:
          letterIds &&
          ((row, logits) => {
            const total = logSumExp(logits);
            const own = letterIds!.slice(0, letters[row]!.length).map((id) => logits[id] as number);
            firsts.set(row, { logProbabilities: own.map((logit) => logit - total), letterLogit: Math.max(...own) });
          }),
      };
      const generated = await model.generate(prompts, generating);
      // A run on the CPU blocks the event loop: signals and timers get their turn.
      await new Promise((resolve) => setImmediate(resolve));
      // Replies that the signal cut short are none.
      signal?.throwIfAborted();
      return Promise.all(
        generated.map(async ({ tokens, ended }, row) => ({
          text: await tokenizer.decode(tokens, true),
          finish: ended,
          tokens: { prompt: (prompts[row] as number[]).length, completion: tokens.length },
          ...firsts.get(row),
        })),
      );
    },
    async close() {},
  };
}

/**
 * @throws {UserError} where a letter is more than one token, or two letters share theirs: their log-probabilities would
 * mean nothing
 */
async function singleTokens(
  tokenizer: Tokenizer,
  letters: readonly string[],
  letterText: (letter: string) => string,
): Promise<number[]> {
  const ids = await Promise.all(letters.map((letter) => tokenizer.encode(letterText(letter), false)));
  const several = ids.findIndex((one) => one.length !== 1);
  if (several >= 0)
    throw new UserError(
      `the tokenizer of ${tokenizer.source} writes ${JSON.stringify(letterText(letters[several]!))} with ` +
        `${ids[several]?.length} tokens: letters' log-probabilities need one each`,
      { hint: "Use the tokenizer that belongs to the model." },
    );
  const single = ids.map((one) => one[0] as number);
  if (new Set(single).size !== single.length || single.includes(tokenizer.unknownId ?? -1))
    throw new UserError(
      `the tokenizer of ${tokenizer.source} has no token of its own for each of the letters A to ${letters.at(-1)}`,
      { hint: "Use the tokenizer that belongs to the model." },
    );
  return single;
}

/**
 * The text of some tokens without asking the native library, which answers later: only to see whether a reading is
 * settled.
 */
function roughText(tokenizer: Tokenizer, tokens: readonly number[]): string {
  return tokens
    .filter((token) => !tokenizer.isSpecial(token))
    .map((token) => (tokenizer.tokenOf(token) ?? "").replace(/^<0x[0-9A-F]{2}>$/, "\n"))
    .join("")
    .replaceAll("▁", " ");
}
