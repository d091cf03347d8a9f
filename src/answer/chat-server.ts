import { parseServerAddress, withoutCredentials } from "../base/addresses.js";
import { UserError } from "../base/errors.js";
import { HttpClient } from "../base/http.js";
import { printableName } from "../base/printable.js";
import { type Gate, type Retry, withRetries } from "../base/retry.js";
import { withoutMark } from "../base/text.js";
import { withoutTrailing } from "../base/trim.js";
import { lettersOfRows } from "../tasks/index.js";
import type { AnswerContext, Answerer, AnswerRequest, MeasuredLetters, RawReply } from "./answerer.js";
import { exhaustedChatError, judgeChatError, RefusedRequest } from "./chat-errors.js";
import { modelsOf } from "./chat-models.js";
import { BadReply, type ChatReply, readChatReply } from "./chat-reply.js";
import { type ChatQuestion, chatQuestion, rawReplyOf } from "./chat-request.js";
import {
  CONTINUATION_PROBES,
  likelihoodOf,
  noLikelihoods,
  requireTrueLikelihoods,
  unmeasured,
} from "./continuations.js";
import { letterReply, likeliestLetter, PROBES, requireTrueLogProbabilities, tokensOf } from "./log-probabilities.js";
import type { ChatMessage } from "./prompts.js";

export interface ChatServerOptions extends ChatQuestion {
  /** Base URL; null or undefined means `LMSTUDIO_ENDPOINT`, then http://localhost:1234/v1/. */
  readonly endpoint?: string | null;
  /** null or undefined means `LMSTUDIO_API_KEY`, then `lm-studio`. */
  readonly apiKey?: string | null;
  /** Which kind of prompt will be asked: log-probabilities are probed where they will be read. */
  readonly prompts?: "chat" | "text";
  /** What of replies is measured: probed before the first question where it is no text. */
  readonly measures?: "text" | MeasuredLetters;
  /** From the moment a request is sent to its whole reply. */
  readonly timeoutSeconds: number;
  readonly retries: number;
  /** Seeds the jitter of the waits between attempts. */
  readonly seed: number;
  readonly firstWaitMilliseconds?: number;
  /** How long a server that says that it is loading is waited for. */
  readonly loadingPatienceMilliseconds?: number;
  readonly environment?: NodeJS.ProcessEnv;
}

export const DEFAULT_ENDPOINT = "http://localhost:1234/v1/";
export const DEFAULT_API_KEY = "lm-studio";

/** The base URL that is asked, by option, environment, default. */
export const endpointOf = (endpoint?: string | null, environment: NodeJS.ProcessEnv = process.env): string =>
  endpoint || environment.LMSTUDIO_ENDPOINT || DEFAULT_ENDPOINT;

/** Bytes of a reply's body: what a model writes in its longest reply, many times over. */
const LARGEST_REPLY = 8 << 20;

/**
 * An answerer behind an OpenAI-compatible server, such as LM Studio's; a chat is sent to `/chat/completions`, a plain
 * text to `/completions`.
 */
export function chatServer(options: ChatServerOptions): Answerer {
  const environment = options.environment ?? process.env;
  const { address, authorization } = parseServerAddress(
    endpointOf(options.endpoint, environment),
    options.endpoint ? "answerer.endpoint" : "LMSTUDIO_ENDPOINT",
  );
  const key = (options.apiKey || environment.LMSTUDIO_API_KEY)?.trim();
  const endpoint = withoutCredentials(address);
  const place = { endpoint, model: options.model, hide: hiding([key, authorization?.replace("Basic ", "")]) };
  const headers = [
    "authorization",
    // A user and a password in the address are for a proxy in front of the server, unless a key is set.
    key ? `Bearer ${key}` : (authorization ?? `Bearer ${DEFAULT_API_KEY}`),
    "content-type",
    "application/json",
    "accept",
    "application/json",
  ];
  const client = new HttpClient(environment);
  const gate: Gate = { until: 0 };
  const base = { url: new URL(address.replace(/\/(chat\/completions|completions|models)$/, "")) };
  const addresses = new Map<string, string>();
  /** Of a route; made once for each base, not once a request. */
  const addressOf = (route: string): string => {
    const name = `${base.url.href} ${route}`;
    const address = addresses.get(name) ?? urlOf(base.url, route);
    addresses.set(name, address);
    return address;
  };

  // One listener a run, not one a request.
  const followed = new WeakSet<AbortSignal>();
  const follow = (signal: AbortSignal): void => {
    if (followed.has(signal)) return;
    followed.add(signal);
    signal.addEventListener("abort", () => client.abortAll(), { once: true });
  };

  const retrying = <T>(
    name: string,
    ids: readonly string[],
    attempt: () => Promise<T>,
    context: AnswerContext,
    onRetry?: (retry: Retry) => void,
  ): Promise<T> => {
    if (context.signal) follow(context.signal);
    return withRetries(attempt, {
      retries: options.retries,
      judge: (error) => judgeChatError(error, place),
      exhausted: (error, reason, attempts) => exhaustedChatError(error, reason, attempts, place, ids),
      seed: `${options.seed}/${name}`,
      signal: context.signal,
      onRetry,
      gate,
      firstWaitMilliseconds: options.firstWaitMilliseconds,
      loadingPatienceMilliseconds: options.loadingPatienceMilliseconds,
    });
  };

  /** @throws {RefusedRequest} {BadReply} {HttpFailure} */
  const send = async (path: string, question?: object): Promise<unknown> => {
    const reply = await client.ask({
      method: question ? "POST" : "GET",
      url: addressOf(path),
      headers,
      body: question && JSON.stringify(question),
      timeoutMilliseconds: options.timeoutSeconds * 1000,
      maximumBytes: LARGEST_REPLY,
    });
    if (reply.status < 200 || reply.status >= 300) throw new RefusedRequest(reply, place.hide);
    if (reply.body.length === 0) throw new BadReply("an empty reply");
    try {
      return place.hide.inJson(withoutMark(reply.body.toString("utf8")));
    } catch {
      const type = printableName(reply.headers.get("content-type") ?? "no content type", 60);
      const packed = reply.headers.get("content-encoding");
      const what = packed ? `${type}, packed as ${printableName(packed, 20)}, which nobody asked for` : type;
      throw new BadReply(`a reply that is not whole JSON (${what})`, undefined, !/json/i.test(type));
    }
  };

  const measures = options.measures ?? "text";
  const temperature = measures === "text" ? options.temperature : 0;
  const logprobs = options.logProbabilities || measures === "next-token";
  const question = { model: options.model, temperature, logProbabilities: logprobs };

  const ask = async (prompt: readonly ChatMessage[] | string, maximumTokens: number): Promise<ChatReply> => {
    const { route, body } = chatQuestion(question, prompt, maximumTokens);
    return readChatReply(await send(route, body), options.model);
  };

  /** One new token, as the harness asks: some servers take no fewer. */
  const continuationQuestion = (prompt: string): object => {
    return { model: options.model, prompt, temperature: 0, max_tokens: 1, logprobs: 1, echo: true };
  };

  /** What is found of each continuation of a prompt, one request each. */
  const continuationsOf = async (prompt: string, continuations: readonly string[]) => {
    const found = [];
    for (const continuation of continuations) {
      const reply = readChatReply(await send("completions", continuationQuestion(prompt + continuation)));
      found.push(likelihoodOf(reply, continuation, prompt));
    }
    return found;
  };

  const measureContinuations = async ({ prompt, rows, letters }: AnswerRequest): Promise<RawReply> => {
    const options = lettersOfRows(rows);
    const found = await continuationsOf(prompt as string, letters!.written);
    const logProbabilities = found.map((one) => {
      if ("fault" in one) throw unmeasured(endpoint, one);
      return one.value;
    });
    return { text: likeliestLetter(logProbabilities, options), logProbabilities };
  };

  const replyTo = async (request: AnswerRequest): Promise<RawReply> => {
    if (measures === "continuations") return measureContinuations(request);
    // Before the reply is awaited: then the rows' texts, which may lie on disk, have just been read.
    const letters = lettersOfRows(request.rows);
    const reply = await ask(request.prompt, request.maximumTokens);
    if (measures === "text")
      return rawReplyOf(reply, options.logProbabilities && request.rows.length === 1 ? letters : undefined);
    const { tokens, text, model } = reply;
    const read = letterReply(tokensOf(reply.logprobs), text, letters);
    return { ...read, ...(tokens ? { tokens } : {}), ...(model === undefined ? {} : { model }) };
  };

  /** @throws {UserError} where the server takes no such request */
  const probedContinuations = (prompt: string, continuations: readonly string[]) =>
    continuationsOf(prompt, continuations).catch((error: unknown) => {
      if (!(error instanceof RefusedRequest) || ![400, 404, 405, 422, 501].includes(error.reply.status)) throw error;
      throw noLikelihoods(endpoint, `status ${error.reply.status}${error.words ? `: ${error.words}` : ""}`);
    });

  const look = async (signal?: AbortSignal, onRetry?: (retry: Retry) => void): Promise<void> => {
    const list = (): Promise<readonly string[]> => modelsOf(base, () => send("models"), endpoint);
    const models = await retrying("models", ["the list of models"], list, { signal }, onRetry);
    if (!models.includes(options.model)) {
      const shown = models.slice(0, 30).map((model) => printableName(model, 100));
      throw new UserError(`${endpoint} has no model "${printableName(options.model)}"`, {
        hint: models.length
          ? `It has ${shown.join(", ")}${models.length > 30 ? `, and ${models.length - 30} more` : ""}: set ` +
            `answerer.model to one of them, or load the model.`
          : "It has none at all: load one.",
      });
    }
    if (measures === "continuations") {
      const found = [];
      for (const { prompt, continuations } of CONTINUATION_PROBES) {
        const probe = () => probedContinuations(prompt, continuations);
        found.push(await retrying("probe", ["the probe for log-likelihoods"], probe, { signal }, onRetry));
      }
      requireTrueLikelihoods(found, endpoint);
    }
    if (logprobs) {
      const replies = [];
      for (const probe of PROBES) {
        const prompt =
          options.prompts === "text" ? probe.messages.map(({ content }) => content).join("\n\n") : probe.messages;
        const about = ["the probe for log-probabilities"];
        const { logprobs, text } = await retrying("probe", about, () => ask(prompt, 4), { signal }, onRetry);
        replies.push({ content: tokensOf(logprobs), text });
      }
      requireTrueLogProbabilities(replies, endpoint);
    }
  };
  let looked = false;
  const once = async (signal?: AbortSignal, onRetry?: (retry: Retry) => void): Promise<void> => {
    if (!looked) await look(signal, onRetry);
    looked = true;
  };

  return {
    name: options.model,
    description: `${options.model} on ${endpoint}`,
    identity: {
      kind: "chat-server",
      model: options.model,
      temperature,
      logProbabilities: options.logProbabilities,
      ...(measures === "text" ? {} : { measures }),
    },
    requestsAtOnce: 1,

    check: once,

    prepare: once,

    preview({ prompt, maximumTokens, letters }) {
      const { route, body } =
        measures === "continuations"
          ? { route: "completions", body: continuationQuestion(`${prompt as string}${letters!.written[0]}`) }
          : chatQuestion(question, prompt, maximumTokens);
      return {
        to: `POST ${withoutCredentials(urlOf(base.url, route))}`,
        headers: {
          authorization: `${key || !authorization ? "Bearer" : "Basic"} …`,
          "content-type": "application/json",
        },
        body,
      };
    },

    async answer(requests, context = {}) {
      return Promise.all(
        requests.map(async (request) => {
          const ids = request.rows.map((row) => row.id);
          return retrying(
            ids[0] ?? "",
            ids,
            () => replyTo(request),
            context,
            (retry) => context.onRetry?.(request, retry),
          );
        }),
      );
    },

    async close() {
      await client.close();
    },
  };
}

/** A route's address: behind the base's path, before its query. */
function urlOf(base: URL, path: string): string {
  const url = new URL(base);
  url.pathname = `${withoutTrailing(url.pathname, "/")}/${path}`;
  return url.href;
}

/** Characters that a secret has at least: a placeholder such as `x` or `none` stands in ordinary replies too. */
const SHORTEST_SECRET = 8;

/** Takes secrets out of texts, and out of the texts of JSON; the default key is none. */
function hiding(all: readonly (string | undefined)[]) {
  const secrets = all.filter((secret) => secret !== undefined && secret.length >= SHORTEST_SECRET) as string[];
  const hide = (text: string): string => secrets.reduce((shown, secret) => shown.replaceAll(secret, "…"), text);
  const inJson = (json: string): unknown => {
    const suspect = secrets.some(
      (secret) => json.includes(secret) || json.includes(JSON.stringify(secret).slice(1, -1)),
    );
    // In numbers and names nothing is replaced: the reply must stay one.
    return JSON.parse(
      json,
      suspect ? (_, value: unknown) => (typeof value === "string" ? hide(value) : value) : undefined,
    );
  };
  return Object.assign(hide, { inJson });
}
