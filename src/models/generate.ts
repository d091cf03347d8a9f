/** The log-probability of a token among all that could have come. */
export interface TokenLogProbability {
  readonly token: number;
  readonly logProbability: number;
}

export interface GenerateOptions {
  /** Tokens a row gets at most, end tokens included. */
  readonly maximumNewTokens: number;
  /** Asked after each token of a row, with all its new tokens: true ends the row, the token kept. */
  readonly stop?: (row: number, tokens: readonly number[]) => boolean;
  /** Told each token as it comes, with what `topLogProbabilities` asks for. */
  readonly onToken?: (row: number, token: GeneratedToken) => void | Promise<void>;
  /** Told each row as soon as it has ended, which may be long before the batch does. */
  readonly onEnd?: (row: number, generated: Generated) => void;
  /**
   * Runs each pass over the model when its turn has come: several batches under way at once must not pass at the same
   * time.
   */
  readonly turn?: Turn;
  /** How many of the likeliest tokens to give with each token, with log-probabilities; 0 (the default) for none. */
  readonly topLogProbabilities?: number;
  /** Chooses the next token from a row's logits; the largest unless given. */
  readonly choose?: (row: number, logits: Float32Array) => number;
  /** Told the logits of each row's first token. */
  readonly onFirstLogits?: (row: number, logits: Float32Array) => void;
  /** Ends all rows before the next token; while prompts are still read, rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** Runs a pass over the model, now or later. */
export type Turn = <T>(pass: () => Promise<T>) => Promise<T>;

export interface GeneratedToken {
  readonly token: number;
  /** Given where `topLogProbabilities` is above 0. */
  readonly logProbability?: number;
  readonly top?: readonly TokenLogProbability[];
}

/** What became of a row. */
export interface Generated {
  /** New tokens; the end token that ended the row is not among them. */
  readonly tokens: readonly number[];
  /** `end`: an end token of the model; `stopped`: `stop` or the signal; `length`: `maximumNewTokens`. */
  readonly ended: "end" | "stopped" | "length";
  /** One for each of `tokens`. */
  readonly details: readonly GeneratedToken[];
}

/** A language model on this machine: token ids in, token ids out. */
export interface LocalModel {
  /** Rows of its embedding: token ids are below this. */
  readonly vocabularySize: number;
  /** Tokens that end a reply. */
  readonly endTokens: readonly number[];
  /** Tokens that a prompt and its reply may have together; undefined where the architecture sets no limit. */
  readonly longestSequence?: number;
  /**
   * How many batches of prompts are best continued together: more than one where a token of a few rows costs what one
   * of many costs, since all weights are gone through for it.
   */
  readonly batchesTogether: number;
  /** Continues each prompt greedily (or by `choose`), all in one batch; the result does not depend on the batch. */
  generate(prompts: readonly (readonly number[])[], options: GenerateOptions): Promise<Generated[]>;
  /** For each prompt, the log-probability of each of `letterIds` as the next token; one prefill. */
  letterLogProbabilities(prompts: readonly (readonly number[])[], letterIds: readonly number[]): Promise<number[][]>;
  /**
   * One pass over a prompt: tells the logits [vocabulary] behind each of its places, in order; they are overwritten
   * afterwards. Undefined where a prompt's own tokens are not predicted (encoder-decoder models).
   */
  promptLogits?(
    prompt: readonly number[],
    onLogits: (place: number, logits: Float32Array) => void,
    signal?: AbortSignal,
  ): Promise<void>;
  dispose(): Promise<void>;
}

/** The logits of the next token of each row, where the model's device has them: only what is asked for is read. */
export interface NextLogits {
  readonly rows: number;
  readonly vocabulary: number;
  /** All of them: [rows, vocabulary], row by row. */
  values(): Promise<Float32Array>;
  /** The token of each row's largest, the first of equals. */
  largest(): Promise<Int32Array>;
  /** Frees what lies on a device. */
  dispose(): void;
}

/** Logits [rows, vocabulary] that lie in the machine's memory. */
export const hostLogits = (rows: number, vocabulary: number, values: Float32Array): NextLogits => ({
  rows,
  vocabulary,
  values: async () => values,
  largest: async () =>
    Int32Array.from({ length: rows }, (_, row) => largest(values.subarray(row * vocabulary, (row + 1) * vocabulary))),
  dispose: () => {},
});

/** A batch under way: a model's state between tokens. */
export interface Continuation {
  /** Logits after the prompts. */
  readonly first: NextLogits;
  /** Appends a token to each row and gives the logits after it. */
  next(tokens: readonly number[]): Promise<NextLogits>;
  /** Frees its caches. */
  dispose(): void;
}

const atOnce: Turn = (pass) => pass();

/**
 * Generates from a batch under way, one token a row at a time, until every row has ended. Logits are read where
 * something asks for them: else a device tells the likeliest tokens alone.
 */
export async function continueGreedily(
  start: Continuation,
  endTokens: readonly number[],
  fillToken: number,
  options: GenerateOptions,
): Promise<Generated[]> {
  const { maximumNewTokens, stop, onToken, onEnd, turn = atOnce, signal } = options;
  const { topLogProbabilities = 0, choose, onFirstLogits } = options;
  const rows = Array.from({ length: start.first.rows }, () => ({
    tokens: [] as number[],
    details: [] as GeneratedToken[],
    ended: (maximumNewTokens > 0 ? undefined : "length") as Generated["ended"] | undefined,
    reported: false,
  }));
  try {
    let next = start.first;
    for (let first = true; ; first = false) {
      if (signal?.aborted) for (const row of rows) row.ended ??= "stopped";
      const { values, likeliest } = await read(next, {
        none: rows.every((row) => row.ended),
        all: choose !== undefined || topLogProbabilities > 0 || (first && onFirstLogits !== undefined),
      });
      for (const [i, row] of rows.entries()) {
        if (row.ended) continue;
        const own = values?.subarray(i * next.vocabulary, (i + 1) * next.vocabulary);
        if (first && own) onFirstLogits?.(i, own);
        const token = own ? (choose ? choose(i, own) : largest(own)) : likeliest![i]!;
        if (endTokens.includes(token)) {
          row.ended = "end";
          continue;
        }
        const detail =
          topLogProbabilities > 0 ? { token, ...logProbabilities(own!, token, topLogProbabilities) } : { token };
        row.tokens.push(token);
        row.details.push(detail);
        await onToken?.(i, detail);
        if (stop?.(i, row.tokens)) row.ended = "stopped";
        else if (row.tokens.length >= maximumNewTokens) row.ended = "length";
      }
      for (const [i, row] of rows.entries()) {
        if (!row.ended || row.reported) continue;
        row.reported = true;
        onEnd?.(i, { tokens: row.tokens, ended: row.ended, details: row.details });
      }
      if (rows.every((row) => row.ended)) break;
      next = await turn(() => start.next(rows.map((row) => (row.ended ? fillToken : row.tokens.at(-1)!))));
    }
  } finally {
    start.dispose();
  }
  return rows.map(({ tokens, details, ended }) => ({ tokens, details, ended: ended! }));
}

/** What of the next tokens' logits is asked for, which are freed. */
async function read(
  next: NextLogits,
  { none, all }: { readonly none: boolean; readonly all: boolean },
): Promise<{ values?: Float32Array; likeliest?: Int32Array }> {
  try {
    if (none) return {};
    return all ? { values: await next.values() } : { likeliest: await next.largest() };
  } finally {
    next.dispose();
  }
}

/** What of the options of generation the start of a batch goes by. */
export type StartOptions = Pick<GenerateOptions, "signal" | "maximumNewTokens">;

/** What every model here generates with: how a batch is started, and its tokens that mean something. */
export interface Generator {
  readonly start: (prompts: readonly (readonly number[])[], options: StartOptions) => Promise<Continuation>;
  readonly endTokens: readonly number[];
  readonly padToken: number;
}

/** {@link LocalModel.generate} of a model that can start a batch. */
export async function generateReplies(
  { start, endTokens, padToken }: Generator,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
): Promise<Generated[]> {
  const { turn = atOnce } = options;
  return prompts.length === 0
    ? []
    : continueGreedily(await turn(() => start(prompts, options)), endTokens, padToken, options);
}

/** {@link LocalModel.letterLogProbabilities} of a model that can start a batch. */
export async function nextLogProbabilities(
  { start }: Pick<Generator, "start">,
  prompts: readonly (readonly number[])[],
  tokens: readonly number[],
): Promise<number[][]> {
  if (prompts.length === 0) return [];
  const { first, dispose } = await start(prompts, { maximumNewTokens: 1 });
  dispose();
  const { values } = await read(first, { none: false, all: true });
  return logProbabilitiesOf(first, values!, tokens);
}

/** The place of the largest (the first of equals). */
export function largest(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** log Σ exp(values), without overflow. */
export function logSumExp(values: Float32Array): number {
  const top = values[largest(values)]!;
  let sum = 0;
  for (const value of values) sum += Math.exp(value - top);
  return top + Math.log(sum);
}

/** The log-probability of a token and of the `count` likeliest ones, from logits [vocabulary]. */
export function logProbabilities(
  values: Float32Array,
  token: number,
  count: number,
): { logProbability: number; top: TokenLogProbability[] } {
  const total = logSumExp(values);
  const top: number[] = [];
  for (let i = 0; i < values.length; i++) {
    if (top.length === count && values[i]! <= values[top.at(-1)!]!) continue;
    let at = top.length;
    while (at > 0 && values[top[at - 1]!]! < values[i]!) at--;
    top.splice(at, 0, i);
    if (top.length > count) top.pop();
  }
  return {
    logProbability: values[token]! - total,
    top: top.map((i) => ({ token: i, logProbability: values[i]! - total })),
  };
}

/** The log-probabilities of some tokens from logits, row by row. */
export function logProbabilitiesOf(
  { rows, vocabulary }: Pick<NextLogits, "rows" | "vocabulary">,
  values: Float32Array,
  tokens: readonly number[],
): number[][] {
  return Array.from({ length: rows }, (_, row) => {
    const own = values.subarray(row * vocabulary, (row + 1) * vocabulary);
    const total = logSumExp(own);
    return tokens.map((token) => own[token]! - total);
  });
}
