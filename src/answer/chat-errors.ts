import { APIConnectionError, APIConnectionTimeoutError, APIError } from "openai";
import { messageOf, UserError } from "../base/errors.js";
import { serverWait, type Verdict } from "./retry.js";

/** Where a chat server is and what is asked of it, for messages. */
export interface ChatServerPlace {
  readonly endpoint: string;
  readonly model: string;
  readonly timeoutSeconds: number;
}

/** A reply that was sent with status 200 and is none. */
export class BadReply extends Error {}

const UNLOADED =
  /\bunload|model (has )?crashed|model (is )?(still )?loading|loading model|not (currently |yet )?loaded|no models? (is |are )?(currently )?loaded|failed to load model|model process exited/i;
const CONTEXT =
  /context[ _-]?(length|size|window|overflow|the overflows)|maximum context|exceeds? (the )?(available |model'?s? )?context|n_ctx|too many tokens|prompt is too long|too long for (the|this) (model|context)/i;
const MISSING_MODEL =
  /model .{0,120}(not found|does not exist|is not available|unknown)|(unknown|invalid|no such) model|model_not_found/i;

/** Whether a failed attempt is made again (a busy, broken or reloading server), or ends the run with what to do. */
export function judgeChatError(error: unknown, place: ChatServerPlace): Verdict {
  if (error instanceof UserError) return { again: false, error };
  if (error instanceof APIConnectionTimeoutError)
    return { again: true, reason: `no reply within ${place.timeoutSeconds} s` };
  if (error instanceof APIConnectionError) return { again: true, reason: connectionReason(error) };
  if (error instanceof BadReply)
    return judgeText(error.message, place, error) ?? { again: true, reason: error.message };
  if (error instanceof APIError) return judgeStatus(error, place);
  if (error instanceof SyntaxError) return { again: true, reason: "a reply that is not whole JSON" };
  return { again: false, error };
}

function judgeStatus(error: APIError, place: ChatServerPlace): Verdict {
  const status = error.status as number | undefined;
  const text = `${error.code ?? ""} ${textOf(error)}`;
  if (status === 401 || status === 403) return { again: false, error: refusedKey(place, status, textOf(error)) };
  if (status === 429) {
    return /insufficient_quota/.test(text)
      ? {
          again: false,
          error: new UserError(`${place.endpoint} says that the account's quota is used up: ${textOf(error)}`, {
            hint: "What was answered is kept: run the same command again once there is quota.",
            cause: error,
          }),
        }
      : { again: true, reason: "429 too many requests", serverWaitMilliseconds: serverWait(error.headers) };
  }
  const known = judgeText(text, place, error);
  if (known) return known;
  if (status !== undefined && (status >= 500 || status === 408 || status === 409))
    return { again: true, reason: `status ${status}`, serverWaitMilliseconds: serverWait(error.headers) };
  return {
    again: false,
    error: new UserError(
      `${place.endpoint} refused a request${status === undefined ? "" : ` with status ${status}`}: ${textOf(error)}`,
      {
        hint: "What was answered is kept: change the configuration, or ask another server.",
        cause: error,
      },
    ),
  };
}

/** What the text of an error says, whatever its status: servers differ in those. */
function judgeText(text: string, place: ChatServerPlace, cause: Error): Verdict | undefined {
  if (CONTEXT.test(text)) {
    return {
      again: false,
      error: new UserError(
        `the context of ${place.model} on ${place.endpoint} is too small for a request: ${text.trim()}`,
        {
          hint: "Load the model with a longer context, or set answerer.questionsPerRequest to fewer questions.",
          cause,
        },
      ),
    };
  }
  if (UNLOADED.test(text)) return { again: true, reason: "model unloaded" };
  if (MISSING_MODEL.test(text)) {
    return {
      again: false,
      error: new UserError(`${place.endpoint} no longer knows the model ${place.model}: ${text.trim()}`, {
        hint: "Load it on the server, then run the same command again.",
        cause,
      }),
    };
  }
  return undefined;
}

const refusedKey = (place: ChatServerPlace, status: number, text: string): UserError =>
  new UserError(`${place.endpoint} refused the API key (status ${status}): ${text}`, {
    hint: "Set LMSTUDIO_API_KEY (in the environment or in .env) to a key that the server accepts.",
  });

function connectionReason(error: APIConnectionError): string {
  const code = codeOf(error);
  return code === "ECONNREFUSED" ? "connection refused" : `connection cut${code ? ` (${code})` : ""}`;
}

/** The system's code, such as `ECONNREFUSED`, of an error or of what caused it. */
export function codeOf(error: unknown): string | undefined {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    if (inner instanceof AggregateError && inner.errors.length > 0 && !("code" in inner))
      return codeOf(inner.errors[0]);
    if ("code" in inner && typeof inner.code === "string") return inner.code;
  }
  return undefined;
}

/** The server's own words: LM Studio sends `{"error": "text"}` where OpenAI sends `{"error": {"message": "text"}}`. */
export function textOf(error: APIError): string {
  const body = error.error as unknown;
  if (typeof body === "string") return body;
  const message = (body as { message?: unknown } | undefined)?.message;
  return typeof message === "string" ? message : messageOf(error);
}

/** The error of a request whose attempts are used up. */
export function exhaustedChatError(
  error: unknown,
  reason: string,
  attempts: number,
  place: ChatServerPlace,
  ids: readonly string[],
): UserError {
  return new UserError(
    `${place.endpoint} did not answer ${namesOf(ids)} in ${attempts} attempts; the last one: ${reason}`,
    {
      hint: "What was answered is kept: run the same command again once the server is well.",
      cause: error,
    },
  );
}

export const namesOf = (ids: readonly string[]): string =>
  ids.length === 1 ? (ids[0] as string) : `${ids[0]} and ${ids.length - 1} more`;
