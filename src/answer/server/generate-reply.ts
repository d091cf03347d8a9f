import { randomInt } from "node:crypto";
import type { ServerResponse } from "node:http";
import { UserError } from "../../base/errors.js";
import type { ChatMessage } from "../prompts.js";
import type { TextEnd, TextEngine } from "./engine.js";
import { ApiError } from "./errors.js";
import type { BoundedQueue } from "./queue.js";
import { ReplyFormat, type WrittenToken } from "./reply.js";
import type { CompletionRequest } from "./request.js";
import { sendJson } from "./send.js";
import { StopTexts } from "./stop-texts.js";

export interface ServerLimits {
  /** The most new tokens that a request may ask for. */
  readonly maximumTokens: number;
  /** The most tokens that a prompt may have: an architecture without a limit of its own would take memory without end. */
  readonly maximumPromptTokens: number;
  /** New tokens of a chat that asks for no number. */
  readonly defaultMaximumTokens: number;
}

/**
 * Generates a reply and sends it, whole or as a stream; stops generating when the client goes away.
 * @throws {ApiError} before anything was sent: a prompt or reply that is too long, a full queue
 */
export async function generateReply(
  engine: TextEngine,
  queue: BoundedQueue,
  limits: ServerLimits,
  request: CompletionRequest,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  if (response.destroyed) return;
  const prompt = isTokens(request.prompt) ? [...request.prompt] : await tokenize(engine, request.prompt);
  const maximumTokens = boundTokens(prompt.length, request.maximumTokens, limits, engine);
  const format = new ReplyFormat(request, engine.id);
  const stops = new StopTexts(request.stop);
  const enough = new AbortController();
  const signal = AbortSignal.any([gone.signal, enough.signal]);
  const tokens: WrittenToken[] = [];
  let text = "";
  const sink = request.stream ? streamTo(response, format) : undefined;

  let end: TextEnd;
  try {
    end = await queue.run(() => {
      if (signal.aborted) throw signal.reason;
      return engine.generate(
        {
          prompt,
          maximumTokens,
          temperature: request.temperature,
          topShare: request.topShare,
          seed: request.seed ?? randomInt(2 ** 31),
          topLogProbabilities: request.topLogProbabilities,
        },
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
    }, gone.signal);
  } catch (error) {
    if (gone.signal.aborted) return;
    if (!enough.signal.aborted) throw error;
    end = "stop";
  }
  if (gone.signal.aborted) return;
  if (stops.ended) end = "stop";
  const rest = stops.rest();
  text += rest;
  const usage = {
    prompt_tokens: prompt.length,
    completion_tokens: tokens.length,
    total_tokens: prompt.length + tokens.length,
  };
  if (sink) sink.finish(rest, end, request.includeUsage ? usage : undefined);
  else sendJson(response, 200, format.whole(text, tokens, end, usage));
}

const isTokens = (prompt: CompletionRequest["prompt"]): prompt is readonly number[] =>
  typeof prompt !== "string" && typeof prompt[0] === "number";

async function tokenize(
  engine: TextEngine,
  prompt: string | readonly ChatMessage[] | readonly number[],
): Promise<number[]> {
  try {
    return await engine.tokenize(prompt as string | readonly ChatMessage[]);
  } catch (error) {
    if (error instanceof UserError)
      throw new ApiError(400, error.message, { param: typeof prompt === "string" ? "prompt" : "messages" });
    throw error;
  }
}

function boundTokens(
  promptTokens: number,
  asked: number | undefined,
  limits: ServerLimits,
  { longestSequence }: TextEngine,
): number {
  if (asked !== undefined && asked > limits.maximumTokens) {
    throw new ApiError(
      400,
      `${asked} new tokens are more than the ${limits.maximumTokens} that this server generates`,
      { param: "max_tokens", code: "max_tokens_too_large" },
    );
  }
  if (promptTokens === 0) throw new ApiError(400, "the prompt is empty", { code: "empty_prompt" });
  if (promptTokens > limits.maximumPromptTokens) {
    throw new ApiError(
      400,
      `the prompt has ${promptTokens} tokens, more than the ${limits.maximumPromptTokens} that this server takes`,
      { code: "context_length_exceeded" },
    );
  }
  const wanted = asked ?? limits.defaultMaximumTokens;
  if (longestSequence === undefined) return wanted;
  // Only a reply's length that was asked for must fit; the default shrinks.
  const room = longestSequence - promptTokens;
  if (room < 1 || (asked !== undefined && asked > room)) {
    throw new ApiError(
      400,
      `This model's maximum context length is ${longestSequence} tokens, and the request has ${promptTokens} in the prompt and asks for ${wanted}`,
      { code: "context_length_exceeded" },
    );
  }
  return Math.min(wanted, room);
}

interface Sink {
  piece(text: string, tokens: readonly WrittenToken[], offset: number): void;
  finish(rest: string, end: TextEnd, usage: Parameters<ReplyFormat["usage"]>[0] | undefined): void;
}

/** Server-sent events. The headers go out with the first token, so that what fails before it has a status of its own. */
function streamTo(response: ServerResponse, format: ReplyFormat): Sink {
  const send = (value: unknown): void => void response.write(`data: ${JSON.stringify(value)}\n\n`);
  const open = (): void => {
    if (response.headersSent) return;
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      connection: "keep-alive",
    });
    const opening = format.opening();
    if (opening) send(opening);
  };
  return {
    piece(text, tokens, offset) {
      open();
      send(format.piece(text, tokens, offset));
    },
    finish(rest, end, usage) {
      open();
      if (rest) send(format.piece(rest, [], 0));
      send(format.closing(end));
      if (usage) send(format.usage(usage));
      response.end("data: [DONE]\n\n");
    },
  };
}
