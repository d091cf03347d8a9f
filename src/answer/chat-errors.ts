import { wordsOfBody } from "../base/error-words.js";
import { UserError } from "../base/errors.js";
import type { HttpReply } from "../base/http.js";
import { HttpFailure } from "../base/http-failure.js";
import { printableName } from "../base/printable.js";
import { serverWait, type Verdict } from "../base/retry.js";
import { Unanswered } from "./answerer.js";
import { BadReply } from "./chat-reply.js";
import { hintForTemplate } from "./template-errors.js";

/** Where a chat server is and what is asked of it, for messages. */
export interface ChatServerPlace {
  /** Its address without credentials. */
  readonly endpoint: string;
  readonly model: string;
  /** Takes our key out of what a server says. */
  readonly hide: (text: string) => string;
}

/** A reply whose status is not one of success. */
export class RefusedRequest extends Error {
  /** The server's own words. */
  readonly words: string;

  constructor(
    readonly reply: HttpReply,
    hide: (text: string) => string,
  ) {
    const words = hide(wordsOfBody(reply.body) ?? "");
    super(`status ${reply.status}${words ? `: ${words}` : ""}`);
    this.words = words;
  }
}

const LOADING =
  /model (is )?(still |currently )?loading|loading (the )?model|(is|still) being loaded|warming up|(is|still) (starting|initiali[sz]ing)/i;
const NOT_LOADED = /(fail(ed|ure)?|error|unable|cannot|could not)( while| when| in)?( to)? load/i;
const UNLOADED =
  /\bunload|not (currently |yet )?loaded|no models? (is |are )?(currently )?loaded|model process exited/i;
/** A server's own crash, whatever status it gives it: LM Studio sends 400 for the first two. */
const CRASHED =
  /channel error|operation cancel+ed|(model|engine|server|process|worker|runner|backend)\b.{0,40}\b(has )?(crashed|died|exited|terminated|dead)|exit code|enginedead|llama runner|out of memory|cuda error|segmentation fault|sig(segv|kill|abrt)/i;
const CONTEXT =
  /context[ _-]?(length|size|window|overflow|the overflows)|exceed_context_size|maximum context|max_model_len|exceed(s|ed|ing)? (the )?(available |model'?s? |max(imum)? )?context|n_ctx|n_keep|too many tokens|prompt (is )?too long|input (is )?too long|(greater|longer|more) than .{0,40}(context|max_model_len|maximum (model |input )?length)|too long for (the|this) (model|context)|`?inputs`? tokens? \+ `?max_new_tokens`?|maximum (allowed )?(input|prompt) (length|tokens)/i;
const MISSING_MODEL =
  /model.{0,120}(not found|does ?n[o']t exist|is not available|is not supported|unknown|decommissioned|no longer available)|(unknown|invalid|no such|unsupported) model|invalid model identifier|model_not_(found|supported)|no endpoints found/i;
const USED_UP =
  /insufficient_quota|exceeded your current quota|billing|payment required|insufficient (credits?|balance|funds)/i;

const HINTS = {
  key: "Set LMSTUDIO_API_KEY (in the environment or in .env) to a key that the server accepts.",
  address:
    "Set LMSTUDIO_ENDPOINT or answerer.endpoint: the base URL of an OpenAI-compatible server, which usually " +
    "ends in /v1/.",
  later: "What was answered is kept: run the same command again once the server is well.",
  context: "Load the model with a longer context, or set answerer.questionsPerRequest to fewer questions.",
  load: "Load it on the server, or set answerer.model; then run the same command again.",
};

const final = (message: string, hint: string, cause: unknown): Verdict => ({
  again: false,
  error: new UserError(message, { hint, cause }),
});

/** Whether a failed attempt is made again (a busy, broken or reloading server), or ends the run with what to do. */
export function judgeChatError(error: unknown, place: ChatServerPlace): Verdict {
  if (error instanceof HttpFailure) return judgeFailure(error, place);
  if (error instanceof BadReply) {
    return (
      (error.words ? judgeWords(error.words, place, error) : undefined) ?? {
        again: true,
        reason: printableName(error.message, 300),
      }
    );
  }
  if (error instanceof RefusedRequest) return judgeStatus(error, place);
  return { again: false, error };
}

function judgeFailure(error: HttpFailure, place: ChatServerPlace): Verdict {
  switch (error.kind) {
    case "address":
      return final(`${place.endpoint} cannot be asked: ${place.hide(error.message)}`, HINTS.address, error);
    case "certificate":
      return final(
        `${place.endpoint}: ${error.message}`,
        "Ask it by http://, or name its certificate in NODE_EXTRA_CA_CERTS.",
        error,
      );
    case "proxy":
      return final(
        `${place.endpoint} cannot be reached: ${error.message}`,
        "Set HTTP_PROXY and HTTPS_PROXY with the proxy's user and password, or name the server in NO_PROXY.",
        error,
      );
    case "redirect":
      return final(
        `${place.endpoint}: ${place.hide(error.message)}`,
        "Nothing was sent there. Set LMSTUDIO_ENDPOINT or answerer.endpoint to that address if it is the right one.",
        error,
      );
    default:
      return { again: true, reason: error.message };
  }
}

function judgeStatus(error: RefusedRequest, place: ChatServerPlace): Verdict {
  const { status, headers } = error.reply;
  const { words } = error;
  const said = words ? `: ${words}` : "";
  const wait = serverWait(headers);
  if (status === 402 || ((status === 429 || status === 403) && USED_UP.test(words)))
    return final(
      `${place.endpoint} says that the account's quota is used up${said}`,
      "What was answered is kept: run the same command again once there is quota.",
      error,
    );
  if (status === 429) return { again: true, reason: "429 too many requests", serverWaitMilliseconds: wait };
  if (status === 401 || status === 403)
    return final(`${place.endpoint} refused the API key (status ${status})${said}`, HINTS.key, error);
  const known = judgeWords(words, place, error);
  if (known) return known.again ? { serverWaitMilliseconds: wait, ...known } : known;
  if (status >= 500 || status === 408 || status === 409 || status === 425)
    return { again: true, reason: `status ${status}`, serverWaitMilliseconds: wait };
  if (status === 404 || status === 405)
    return final(`${place.endpoint} has no such route (status ${status})${said}`, HINTS.address, error);
  return final(
    `${place.endpoint} refused a request with status ${status}${said}`,
    "What was answered is kept: change the configuration, or ask another server.",
    error,
  );
}

/** What the words of an error say, whatever its status: servers differ in those. */
function judgeWords(words: string, place: ChatServerPlace, cause: Error): Verdict | undefined {
  if (CONTEXT.test(words))
    return final(
      `the context of ${place.model} on ${place.endpoint} is too small for a request: ${words}`,
      HINTS.context,
      cause,
    );
  const template = hintForTemplate(words);
  if (template) return final(`${place.endpoint} cannot put a chat to ${place.model}: ${words}`, template, cause);
  if (LOADING.test(words) && !NOT_LOADED.test(words))
    return { again: true, reason: "the model is loading", loading: true };
  if (UNLOADED.test(words) || NOT_LOADED.test(words)) return { again: true, reason: "model unloaded" };
  if (CRASHED.test(words)) return { again: true, reason: `the server's engine failed (${printableName(words, 80)})` };
  if (MISSING_MODEL.test(words))
    return final(`${place.endpoint} does not know the model ${place.model}: ${words}`, HINTS.load, cause);
  return undefined;
}

/** The error of a request whose attempts are used up. */
export function exhaustedChatError(
  error: unknown,
  reason: string,
  attempts: number,
  place: ChatServerPlace,
  ids: readonly string[],
): UserError {
  const Kind = error instanceof BadReply ? Unanswered : UserError;
  return new Kind(`${place.endpoint} did not answer ${namesOf(ids)} in ${attempts} attempts; the last one: ${reason}`, {
    hint: HINTS.later,
    cause: error,
  });
}

const namesOf = (ids: readonly string[]): string =>
  ids.length === 1 ? (ids[0] as string) : `${ids[0]} and ${ids.length - 1} more`;
