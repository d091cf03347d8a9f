import { randomInt } from "node:crypto";
import type { ServerResponse } from "node:http";
import { UserError } from "../../base/errors.js";
import type { TextEnd, TextEngine, TextRequest } from "./engine.js";
import { ApiError } from "./errors.js";
import { boundTokens, requireReadable, type ServerLimits } from "./limits.js";
import type { BoundedQueue } from "./queue.js";
import { type Choice, ReplyFormat, type WrittenToken } from "./reply.js";
import type { CompletionRequest, Prompt } from "./request.js";
import { scoredChoice } from "./scored-choice.js";
import { sendJson } from "./send.js";
import { type Sink, streamTo } from "./sink.js";
import { StopTexts } from "./stop-texts.js";

/**
 * Generates a reply and sends it, whole or as a stream; stops generating when the client goes away. Nothing is done for
 * a request before its turn has come, its prompts' tokens included.
 * @throws {ApiError} before anything was sent: a prompt or reply that is too long, a full queue
 */
export async function generateReply(
  engine: TextEngine,
  queue: BoundedQueue,
  limits: ServerLimits,
  request: CompletionRequest,
  response: ServerResponse,
): Promise<void> {
  requireReadable(request, limits, engine);
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  if (response.destroyed) return;
  const format = new ReplyFormat(request, engine.id);
  const sink = request.stream ? streamTo(response, format) : undefined;
  const answers: Answered[] = [];
  try {
    await queue.run(async () => {
      for (const prompt of request.prompts) answers.push(await answer(prompt));
    }, gone.signal);
  } catch (error) {
    if (gone.signal.aborted) return;
    throw error;
  }
  if (gone.signal.aborted) return;
  const usage = usageOf(answers);
  if (sink) sink.finish(answers[0]!.rest, answers[0]!.end, request.includeUsage ? usage : undefined);
  else sendJson(response, 200, format.whole(answers, usage));

  async function answer(prompt: Prompt): Promise<Answered> {
    gone.signal.throwIfAborted();
    const tokens = isTokens(prompt) ? prompt : await tokenize(engine, prompt);
    const asked: TextRequest = {
      prompt: tokens,
      maximumTokens: boundTokens(tokens.length, request.maximumTokens, limits, engine),
      temperature: request.temperature,
      topShare: request.topShare,
      seed: request.seed ?? randomInt(2 ** 31),
      topLogProbabilities: request.topLogProbabilities,
    };
    if (!request.echo)
      return { ...(await generate(engine, asked, request.stop, gone.signal, sink)), read: tokens.length };
    return scoredChoice(engine, asked, isTokens(prompt) ? undefined : (prompt as string), gone.signal, (more) =>
      generate(engine, more, request.stop, gone.signal),
    );
  }
}

/** A choice, with what its usage is counted by. */
interface Answered extends Choice {
  /** Tokens of the prompt, and new ones. */
  readonly read: number;
  readonly generated: number;
  /** The end of the text, which no piece of the stream has had. */
  readonly rest: string;
}

async function generate(
  engine: TextEngine,
  request: TextRequest,
  stop: readonly string[],
  gone: AbortSignal,
  sink?: Sink,
): Promise<Omit<Answered, "read">> {
  const stops = new StopTexts(stop);
  const enough = new AbortController();
  const signal = AbortSignal.any([gone, enough.signal]);
  const tokens: WrittenToken[] = [];
  let text = "";
  let end: TextEnd;
  try {
    end = await engine.generate(
      request,
      (token) => {
        if (signal.aborted) return;
        const shown = stops.push(token.text);
        if (token.token !== undefined) tokens.push(token as WrittenToken);
        sink?.piece(shown, token.token === undefined ? [] : [token as WrittenToken], text.length);
        text += shown;
        if (stops.ended) enough.abort();
      },
      signal,
    );
  } catch (error) {
    if (gone.aborted || !enough.signal.aborted) throw error;
    end = "stop";
  }
  const rest = stops.rest();
  return { text: text + rest, tokens, end: stops.ended ? "stop" : end, generated: tokens.length, rest };
}

function usageOf(answers: readonly Answered[]) {
  const [read, generated] = [
    answers.reduce((sum, { read }) => sum + read, 0),
    answers.reduce((sum, { generated }) => sum + generated, 0),
  ];
  return { prompt_tokens: read, completion_tokens: generated, total_tokens: read + generated };
}

const isTokens = (prompt: Prompt): prompt is readonly number[] => typeof prompt[0] === "number";

async function tokenize(engine: TextEngine, prompt: Exclude<Prompt, readonly number[]>): Promise<number[]> {
  try {
    return await engine.tokenize(prompt);
  } catch (error) {
    if (error instanceof UserError)
      throw new ApiError(400, [error.message, error.hint].filter(Boolean).join(". "), {
        param: typeof prompt === "string" ? "prompt" : "messages",
      });
    throw error;
  }
}
