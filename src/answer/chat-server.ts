import OpenAI from "openai";
import { UserError } from "../base/errors.js";
import type { AnswerContext, Answerer, AnswerRequest, RawReply } from "./answerer.js";
import { BadReply, codeOf, exhaustedChatError, judgeChatError } from "./chat-errors.js";
import {
  letterLogProbabilities,
  PROBES,
  requireTrueLogProbabilities,
  TOP_LOG_PROBABILITIES,
  tokensOf,
} from "./log-probabilities.js";
import { PlainClient } from "./plain-client.js";
import type { ChatMessage } from "./prompts.js";
import { type Gate, withRetries } from "./retry.js";

export interface ChatServerOptions {
  /** As the server's model list names it. */
  readonly model: string;
  /** Base URL; null or undefined means `LMSTUDIO_ENDPOINT`, then http://localhost:1234/v1/. */
  readonly endpoint?: string | null;
  /** null or undefined means `LMSTUDIO_API_KEY`, then `lm-studio`. */
  readonly apiKey?: string | null;
  readonly temperature: number;
  /** Which kind of prompt will be asked: log-probabilities are probed where they will be read. */
  readonly prompts?: "chat" | "text";
  /** Whether each reply must come with the letters' log-probabilities. */
  readonly logProbabilities: boolean;
  /** From the moment a request is sent to its whole reply. */
  readonly timeoutSeconds: number;
  readonly retries: number;
  /** Seeds the jitter of the waits between attempts. */
  readonly seed: number;
  readonly firstWaitMilliseconds?: number;
  readonly environment?: NodeJS.ProcessEnv;
}

export const DEFAULT_ENDPOINT = "http://localhost:1234/v1/";
export const DEFAULT_API_KEY = "lm-studio";

/** The base URL that is asked, by option, environment, default. */
export const endpointOf = (endpoint?: string | null, environment: NodeJS.ProcessEnv = process.env): string =>
  endpoint || environment.LMSTUDIO_ENDPOINT || DEFAULT_ENDPOINT;

interface Completion {
  choices?: {
    message?: { content?: string | null; reasoning_content?: string; reasoning?: string };
    text?: string;
    finish_reason?: string;
    logprobs?: unknown;
  }[];
  usage?: { prompt_tokens?: number; completion_tokens?: number };
  error?: unknown;
}

/** An answerer behind an OpenAI-compatible server, such as LM Studio's; a chat is sent to `/chat/completions`, a plain text to `/completions`. */
export function chatServer(options: ChatServerOptions): Answerer {
  const environment = options.environment ?? process.env;
  const endpoint = endpointOf(options.endpoint, environment);
  const place = { endpoint, model: options.model, timeoutSeconds: options.timeoutSeconds };
  const client = new PlainClient({
    baseURL: endpoint,
    apiKey: options.apiKey || environment.LMSTUDIO_API_KEY || DEFAULT_API_KEY,
    timeoutMilliseconds: options.timeoutSeconds * 1000,
  });
  const gate: Gate = { until: 0 };

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
    onRetry?: Parameters<typeof withRetries>[1]["onRetry"],
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
    });
  };

  const ask = async (prompt: readonly ChatMessage[] | string, maximumTokens: number): Promise<Completion> => {
    const common = { model: options.model, temperature: options.temperature, max_tokens: maximumTokens };
    const completion = (typeof prompt === "string"
      ? await client.completions.create({ ...common, prompt, ...(options.logProbabilities ? { logprobs: 5 } : {}) })
      : await client.chat.completions.create({
          ...common,
          messages: prompt as ChatMessage[],
          ...(options.logProbabilities ? { logprobs: true, top_logprobs: TOP_LOG_PROBABILITIES } : {}),
        })) as unknown as Completion;
    if (completion === null || typeof completion !== "object") throw new BadReply("a reply that is no completion");
    if (!completion.choices?.[0]) {
      const { error } = completion;
      throw new BadReply(
        error === undefined
          ? "a reply without a choice"
          : typeof error === "string"
            ? error
            : ((error as { message?: string }).message ?? JSON.stringify(error)),
      );
    }
    return completion;
  };

  return {
    name: options.model,
    description: `${options.model} on ${endpoint}`,
    identity: {
      kind: "chat-server",
      model: options.model,
      temperature: options.temperature,
      logProbabilities: options.logProbabilities,
    },
    requestsAtOnce: 1,

    async prepare(signal) {
      const models = await retrying("models", ["the list of models"], () => modelsOf(client, endpoint), { signal });
      if (!models.includes(options.model)) {
        throw new UserError(`${endpoint} has no model "${options.model}"`, {
          hint: models.length
            ? `It has ${models.slice(0, 30).join(", ")}${models.length > 30 ? `, and ${models.length - 30} more` : ""}: set answerer.model to one of them, or load the model.`
            : "It has none at all: load one.",
        });
      }
      if (options.logProbabilities) {
        const replies = [];
        for (const probe of PROBES) {
          const prompt =
            options.prompts === "text" ? probe.messages.map(({ content }) => content).join("\n\n") : probe.messages;
          const completion = await retrying("probe", ["the probe for log-probabilities"], () => ask(prompt, 4), {
            signal,
          });
          const choice = completion.choices?.[0];
          replies.push({ content: tokensOf(choice?.logprobs), text: choice?.message?.content ?? choice?.text ?? "" });
        }
        requireTrueLogProbabilities(replies, endpoint);
      }
    },

    async answer(requests, context = {}) {
      return Promise.all(
        requests.map(async (request) => {
          const ids = request.rows.map((row) => row.id);
          const completion = await retrying(
            ids[0] ?? "",
            ids,
            () => ask(request.prompt, request.maximumTokens),
            context,
            (retry) => context.onRetry?.(request, retry),
          );
          return replyOf(completion, request, options.logProbabilities);
        }),
      );
    },

    async close() {
      client.close();
    },
  };
}

function replyOf(completion: Completion, request: AnswerRequest, withLogProbabilities: boolean): RawReply {
  const choice = completion.choices?.[0] as NonNullable<Completion["choices"]>[number];
  const reasoning = choice.message?.reasoning_content || choice.message?.reasoning;
  const usage = completion.usage;
  const logProbabilities =
    withLogProbabilities && request.rows.length === 1 ? letterLogProbabilities(tokensOf(choice.logprobs)) : undefined;
  return {
    text: choice.message?.content ?? choice.text ?? "",
    ...(reasoning ? { reasoning } : {}),
    ...(choice.finish_reason ? { finish: choice.finish_reason } : {}),
    ...(usage ? { tokens: { prompt: usage.prompt_tokens ?? 0, completion: usage.completion_tokens ?? 0 } } : {}),
    ...(logProbabilities ? { logProbabilities } : {}),
  };
}

/** The ids of the server's models. A server that is not there at all is told at once, not after all retries. */
async function modelsOf(client: OpenAI, endpoint: string): Promise<string[]> {
  let list: unknown;
  try {
    // Not `models.list()`, which makes an empty list of any page at all.
    list = await client.get<unknown>("/models");
  } catch (error) {
    const code = codeOf(error);
    if (code === "ECONNREFUSED" || code === "ENOTFOUND" || code === "EAI_AGAIN") {
      throw new UserError(`no server answers at ${endpoint} (${code})`, {
        hint: "Start the server (in LM Studio: Developer, Start Server; or mmmlu serve), or set LMSTUDIO_ENDPOINT or answerer.endpoint.",
        cause: error,
      });
    }
    if (error instanceof OpenAI.APIError && error.status === 404) {
      throw new UserError(`${endpoint} has no list of models`, {
        hint: "The base URL of an OpenAI-compatible server usually ends in /v1/.",
        cause: error,
      });
    }
    throw error;
  }
  const data = (list as { data?: unknown } | null)?.data;
  if (!Array.isArray(data))
    throw new UserError(`${endpoint} sent no list of models`, {
      hint: "Is it an OpenAI-compatible server? Its base URL usually ends in /v1/.",
    });
  return data.map((model) => String((model as { id?: unknown }).id));
}
