import { UserError } from "../base/errors.js";
import { sha256 } from "../base/files.js";
import { DeviceFailure } from "../graph/index.js";
import { lettersOfRows } from "../tasks/index.js";
import type { Answerer, AnswerRequest, MeasuredLetters, RawReply } from "./answerer.js";
import { letterLogProbabilities, letterReply, likeliestLetter, TOP_LOG_PROBABILITIES } from "./log-probabilities.js";
import type { TextEngine, TextToken } from "./server/engine.js";
import { ApiError } from "./server/errors.js";

export interface EngineAnswererOptions
  extends Pick<Answerer, "name" | "description" | "identity" | "note" | "tokenizerFolder"> {
  /** Loads the engine; called when a first question is to be asked. */
  readonly open: (signal?: AbortSignal) => Promise<TextEngine>;
  /** Requests under way at once. */
  readonly concurrency: number;
  readonly temperature: number;
  readonly logProbabilities: boolean;
  /** What of replies is measured. */
  readonly measures?: "text" | MeasuredLetters;
  /** Seeds the drawing of tokens, with the ids of a request's rows. */
  readonly seed: number;
}

/** A text engine as an answerer: asked as a chat server is, with nothing between. */
export function engineAnswerer(options: EngineAnswererOptions): Answerer {
  const { name, description, note, tokenizerFolder, measures = "text", seed } = options;
  const temperature = measures === "text" ? options.temperature : 0;
  const logProbabilities = options.logProbabilities || measures === "next-token";
  let engine: TextEngine | undefined;

  async function continuationsOf(request: AnswerRequest, signal: AbortSignal): Promise<RawReply> {
    if (!engine!.likelihoods)
      throw new UserError(`${name} does not measure continuations`, { hint: "Set answerer.protocol=letters." });
    const { prompt, letters, rows } = request;
    const found = await engine!.likelihoods(prompt as string, letters!.written, signal).catch((error: unknown) => {
      if (!(error instanceof UserError) || error instanceof ApiError) throw error;
      throw new UserError(`${rows[0]!.id}: ${error.message}`, { hint: error.hint, cause: error });
    });
    signal.throwIfAborted();
    return { text: likeliestLetter(found, lettersOfRows(rows)), logProbabilities: found };
  }

  async function replyTo(request: AnswerRequest, signal: AbortSignal): Promise<RawReply> {
    signal.throwIfAborted();
    if (measures === "continuations") return continuationsOf(request, signal);
    const asked = engine!;
    const prompt = await asked.tokenize(request.prompt);
    signal.throwIfAborted();
    const most = asked.longestSequence;
    if (most !== undefined && prompt.length + request.maximumTokens > most)
      throw new UserError(
        `${request.rows[0]?.id ?? "a request"}: its prompt has ${prompt.length} tokens and its reply may have ` +
          `${request.maximumTokens}: ${name} takes ${most} together`,
        { hint: "Set answerer.questionsPerRequest or filter.maxTokens lower." },
      );
    const tokens: TextToken[] = [];
    const finish = await asked.generate(
      {
        prompt,
        maximumTokens: request.maximumTokens,
        temperature,
        topShare: 1,
        seed: Number.parseInt(sha256(seedOf(request)).slice(0, 7), 16),
        topLogProbabilities: logProbabilities ? TOP_LOG_PROBABILITIES : undefined,
      },
      (token) => tokens.push(token),
      signal,
    );
    // A reply that the signal cut short is none.
    signal.throwIfAborted();
    const text = tokens.map((token) => token.text).join("");
    const written = tokens.filter((token) => token.token !== undefined);
    const counted = { tokens: { prompt: prompt.length, completion: written.length } };
    const options = lettersOfRows(request.rows);
    if (measures === "next-token") return { ...letterReply(written.map(contentOf), text, options), ...counted };
    const letters =
      logProbabilities && request.rows.length === 1
        ? letterLogProbabilities(written.map(contentOf), text, options)
        : undefined;
    return { text, finish, ...counted, ...(letters ? { logProbabilities: letters } : {}) };
  }

  const seedOf = ({ rows, repeat }: AnswerRequest): string =>
    `${seed}/${rows.map(({ id }) => id).join("/")}${repeat ? `/${repeat}` : ""}`;

  return {
    name,
    description,
    note,
    tokenizerFolder,
    identity: {
      ...options.identity,
      temperature,
      ...(temperature > 0 ? { seed } : {}),
      logProbabilities,
      ...(measures === "text" ? {} : { measures }),
    },
    requestsAtOnce: 1,
    concurrency: options.concurrency,
    async prepare(signal) {
      engine ??= await options.open(signal);
    },
    preview: ({ prompt, maximumTokens }) => ({
      to: description,
      body: {
        ...(typeof prompt === "string" ? { prompt } : { messages: prompt }),
        max_tokens: maximumTokens,
        temperature,
        ...(logProbabilities ? { top_logprobs: TOP_LOG_PROBABILITIES } : {}),
      },
    }),
    async answer(requests, { signal = new AbortController().signal } = {}) {
      try {
        return await Promise.all(requests.map((request) => replyTo(request, signal)));
      } catch (error) {
        if (error instanceof DeviceFailure)
          throw new UserError(error.message, {
            hint:
              error.kind === "lost"
                ? "What was answered is kept: run the same command again, it goes on from there."
                : "What was answered is kept: run the same command again, with a lower answerer.concurrency or " +
                  "--device cpu.",
            cause: error,
          });
        if (!(error instanceof ApiError)) throw error;
        throw new UserError(error.message, {
          hint:
            "Memory may have run out. What was answered is kept: run the same command again, with a lower " +
            "answerer.concurrency.",
          cause: error,
        });
      }
    },
    async close() {
      await engine?.close();
    },
  };
}

/** A token as OpenAI's format has it, which the letters' log-probabilities are read from. */
const contentOf = ({ token, logProbability, top = [] }: TextToken) => ({
  token,
  logprob: logProbability,
  top_logprobs: top.map((other) => ({ token: other.token, logprob: other.logProbability })),
});
