import { UserError } from "../../base/errors.js";
import { type LocalModel, largest, logProbabilities, logSumExp, Random, type Turn } from "../../models/index.js";
import type { Tokenizer } from "../../tokens/index.js";
import type { ChatTemplate } from "./chat-template.js";
import { continuationTokens } from "./continuation-tokens.js";
import type { ScoredPrompt, TextEnd, TextEngine, TextRequest, TextToken } from "./engine.js";
import { encodePrompt } from "./prompt-tokens.js";
import { chooseToken } from "./sampling.js";
import { TextStream } from "./text-stream.js";

export interface LocalEngineOptions {
  readonly id: string;
  readonly model: LocalModel;
  readonly tokenizer: Tokenizer;
  readonly chatTemplate: ChatTemplate;
  /** Requests generated in one batch. */
  readonly requestsAtOnce?: number;
}

/**
 * Scores of attention of a batch whose prompts are read in one pass: rows × the longest prompt's square. Eight heads of
 * them take 512 MiB.
 */
const LARGEST_BATCH = 4096 ** 2;

interface Waiting {
  readonly request: TextRequest;
  /** Told the logits of the first new token; they are overwritten afterwards. */
  readonly look?: (logits: Float32Array) => void;
  readonly onToken: (token: TextToken) => void;
  readonly signal: AbortSignal;
  readonly resolve: (end: TextEnd) => void;
  readonly reject: (error: unknown) => void;
}

/** Tokens after which a batch no longer keeps those who wait from beginning. */
const PATIENCE = 32;

/** Requests that are generated together. */
interface Batch {
  readonly rows: number;
  /** Passes over the model so far. */
  passes: number;
}

/**
 * A local model as an engine: requests that come while others are being generated wait for them, and are then generated
 * in one batch, since a token of many rows costs little more than one of a few. Behind a long reply nobody waits for
 * long: from a batch's 32nd token on others begin beside it, and batches take turns token by token. What a request gets
 * does not depend on the others.
 */
export function localEngine({
  id,
  model,
  tokenizer,
  chatTemplate,
  requestsAtOnce = 8,
}: LocalEngineOptions): TextEngine {
  const waiting: Waiting[] = [];
  const running = new Set<Batch>();
  let lastPass: Promise<unknown> = Promise.resolve();

  /** Begins a batch of those waiting, where those running let it. */
  function begin(): void {
    if ([...running].some(({ passes }) => passes < PATIENCE)) return;
    const requests = waiting.splice(0, batchLength());
    const going = requests.filter(({ signal, reject }) => {
      if (signal.aborted) reject(signal.reason);
      return !signal.aborted;
    });
    if (requests.length === 0) return;
    if (going.length === 0) return begin();
    const batch: Batch = { rows: going.length, passes: 0 };
    running.add(batch);
    void generateBatch(going, batch).finally(() => {
      running.delete(batch);
      begin();
    });
  }

  /**
   * How many of those waiting may begin together, beside those running: as many as the memory lets, one in any case
   * where there is room.
   */
  function batchLength(): number {
    const free = requestsAtOnce - [...running].reduce((sum, batch) => sum + batch.rows, 0);
    let [rows, longest] = [0, 0];
    for (const { request } of waiting.slice(0, Math.max(0, free))) {
      longest = Math.max(longest, request.prompt.length);
      if (rows > 0 && (rows + 1) * longest ** 2 > LARGEST_BATCH) break;
      rows++;
    }
    return rows;
  }

  /** Passes follow each other, whichever batch they are of. */
  function inTurn<T>(pass: () => Promise<T>): Promise<T> {
    const mine = lastPass.then(pass);
    lastPass = mine.catch(() => undefined);
    return mine;
  }

  async function generateBatch(going: readonly Waiting[], batch: Batch): Promise<void> {
    const streams = going.map(() => new TextStream(tokenizer));
    const randoms = going.map(({ request }) => new Random(request.seed));
    const top = Math.max(
      0,
      ...going.map(({ request }) =>
        request.topLogProbabilities === undefined ? 0 : Math.max(1, request.topLogProbabilities),
      ),
    );
    const turn: Turn = (pass) => {
      if (++batch.passes === PATIENCE) begin();
      return inTurn(pass);
    };
    try {
      await model.generate(
        going.map(({ request }) => request.prompt),
        {
          maximumNewTokens: Math.max(...going.map(({ request }) => request.maximumTokens)),
          topLogProbabilities: top,
          turn,
          stop: (row, tokens) => tokens.length >= going[row]!.request.maximumTokens || going[row]!.signal.aborted,
          choose: going.every(({ look, request }) => !look && request.temperature === 0)
            ? undefined
            : (row, logits) => {
                going[row]!.look?.(logits);
                return choose(logits, going[row]!.request, randoms[row]!);
              },
          onToken: async (row, { token, logProbability, top: likeliest = [] }) => {
            const { request, onToken, signal } = going[row]!;
            if (signal.aborted) return;
            const text = await streams[row]!.push(token);
            const wanted = request.topLogProbabilities;
            onToken({
              text,
              token: tokenizer.writtenToken(token),
              ...(wanted === undefined ? {} : { logProbability, top: written(likeliest.slice(0, wanted)) }),
            });
            // A run on the CPU blocks the event loop: a client that went away is heard between tokens.
            await new Promise((resolve) => setImmediate(resolve));
          },
          onEnd: (row, { ended, tokens }) => {
            const { request, resolve, onToken } = going[row]!;
            const rest = streams[row]!.rest();
            if (rest) onToken({ text: rest });
            resolve(
              ended === "end" || (ended === "stopped" && tokens.length < request.maximumTokens) ? "stop" : "length",
            );
          },
        },
      );
    } catch (error) {
      for (const { reject } of going) reject(error);
    }
  }

  const written = (likeliest: readonly { readonly token: number; readonly logProbability: number }[]) =>
    likeliest.map(({ token, logProbability }) => ({ token: tokenizer.writtenToken(token), logProbability }));

  /** @throws {UserError} where a token is none of the model's */
  function requireTokens(prompt: readonly number[]): void {
    const outside = prompt.find((token) => token >= model.vocabularySize);
    if (outside !== undefined)
      throw new UserError(`the prompt has the token ${outside}, and the model only ${model.vocabularySize}`, {
        hint: "Use the tokenizer that belongs to the model.",
      });
  }

  async function score(request: TextRequest, signal: AbortSignal): Promise<ScoredPrompt> {
    const { prompt, maximumTokens, topLogProbabilities: top } = request;
    requireTokens(prompt);
    const stream = new TextStream(tokenizer, false);
    const texts: string[] = [];
    for (const token of prompt) texts.push(await stream.push(token));
    texts[texts.length - 1] += stream.rest();
    const tokens: TextToken[] = prompt.map((token, at) => ({
      text: texts[at]!,
      token: tokenizer.writtenToken(token),
    }));
    let next: (Omit<TextToken, "text"> & { readonly id: number }) | undefined;
    if (top === undefined) return { tokens };
    await inTurn(() =>
      model.promptLogits!(
        prompt,
        (place, logits) => {
          const behind = place + 1;
          if (behind === prompt.length && maximumTokens === 0) return;
          const token = prompt[behind] ?? choose(logits, request, new Random(request.seed));
          const { logProbability, top: likeliest } = logProbabilities(logits, token, top);
          const scored = { token: tokenizer.writtenToken(token), logProbability, top: written(likeliest) };
          if (behind < prompt.length) tokens[behind] = { ...tokens[behind]!, ...scored };
          else next = { ...scored, id: token };
        },
        signal,
      ),
    );
    if (!next) return { tokens };
    const { id, ...scored } = next;
    const ends = model.endTokens.includes(id);
    return { tokens, next: { ...scored, ends, text: ends ? "" : (await stream.push(id)) + stream.rest() } };
  }

  /** The next token's log-probabilities, in a batch with whatever else waits. */
  function nextOf(context: readonly number[], tokens: readonly number[], signal: AbortSignal): Promise<number[]> {
    const request = { prompt: context, maximumTokens: 1, temperature: 0, topShare: 1, seed: 0 };
    return new Promise((resolve, reject) => {
      let found: number[] = [];
      const look = (logits: Float32Array): void => {
        const total = logSumExp(logits);
        found = tokens.map((token) => (logits[token] as number) - total);
      };
      waiting.push({ request, look, onToken: () => {}, signal, resolve: () => resolve(found), reject });
      setImmediate(begin);
    });
  }

  async function likelihoods(context: string, texts: readonly string[], signal: AbortSignal): Promise<number[]> {
    const { context: prompt, continuations } = await continuationTokens(context, texts, tokenizer, chatTemplate, model);
    requireTokens(prompt);
    const longest = Math.max(...continuations.map((tokens) => prompt.length + tokens.length));
    if (model.longestSequence !== undefined && longest > model.longestSequence)
      throw new UserError(`the prompt has ${longest} tokens, and ${id} takes ${model.longestSequence}`, {
        hint: "Set answerer.shots or filter.maxTokens lower.",
      });
    const empty = continuations.findIndex((tokens) => tokens.length === 0);
    if (empty >= 0)
      throw new UserError(`${JSON.stringify(texts[empty])} has no token of its own behind the prompt`, {
        hint: "Use the tokenizer that belongs to the model.",
      });
    if (continuations.every((tokens) => tokens.length === 1))
      return nextOf(
        prompt,
        continuations.map(([token]) => token as number),
        signal,
      );
    if (!model.promptLogits)
      throw new UserError(
        `${id} writes a letter with several tokens, which an encoder-decoder model measures none of`,
        {
          hint: "Use the tokenizer that belongs to the model, or set answerer.protocol=letters.",
        },
      );
    const found: number[] = [];
    for (const tokens of continuations) {
      let sum = 0;
      const told = (place: number, logits: Float32Array): void => {
        const token = tokens[place + 1 - prompt.length];
        if (token !== undefined) sum += (logits[token] as number) - logSumExp(logits);
      };
      await inTurn(() => model.promptLogits!([...prompt, ...tokens], told, signal));
      found.push(sum);
    }
    return found;
  }

  return {
    id,
    longestSequence: model.longestSequence,
    // Twice as many, so that the next batch is whole when one ends.
    requestsAtOnce: 2 * requestsAtOnce,
    longestToken: tokenizer.longestToken,
    tokenize: (prompt) => encodePrompt(prompt, tokenizer, chatTemplate),
    async generate(request, onToken, signal) {
      requireTokens(request.prompt);
      return new Promise((resolve, reject) => {
        waiting.push({ request, onToken, signal, resolve, reject });
        // Requests of the same moment make one batch.
        setImmediate(begin);
      });
    },
    ...(model.promptLogits ? { score } : {}),
    likelihoods,
    close: () => model.dispose(),
  };
}

/** The next token as a request wants it chosen. */
const choose = (logits: Float32Array, request: TextRequest, random: Random): number =>
  request.temperature === 0 ? largest(logits) : chooseToken(logits, request, random);
