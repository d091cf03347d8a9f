import { z } from "zod";
import { wordsOf } from "../base/error-words.js";
import { jsonOf } from "../base/json.js";
import { printableName } from "../base/printable.js";
import { lettersOfRows } from "../tasks/index.js";
import type { AnswerRequest, RawReply } from "./answerer.js";
import { BadReply, readChatReply } from "./chat-reply.js";
import { type ChatQuestion, chatQuestion, rawReplyOf } from "./chat-request.js";
import { faultOf, tokensOf } from "./log-probabilities.js";

/*
 * OpenAI's batch format (platform.openai.com/docs/guides/batch), which vLLM's `run-batch` reads and writes too: a file
 * of one request a line, and one of results in any order.
 */

/** What OpenAI takes of one file. */
export const BATCH_LIMITS = { requests: 50_000, bytes: 200_000_000 } as const;

/** A line of a batch file. */
export interface BatchRequest {
  /** The key under which the reply is kept. */
  readonly custom_id: string;
  readonly method: "POST";
  readonly url: "/v1/chat/completions" | "/v1/completions";
  readonly body: object;
}

/** A request as a line of a batch file: the same body as the server would be sent live. */
export function batchRequest(key: string, request: AnswerRequest, question: ChatQuestion): BatchRequest {
  const { route, body } = chatQuestion(question, request.prompt, request.maximumTokens);
  return { custom_id: key, method: "POST", url: `/v1/${route}`, body };
}

const anything = z.unknown().optional();

const resultSchema = z.looseObject({
  custom_id: z.string().max(1000),
  response: z
    .looseObject({
      status_code: z
        .union([
          z.int(),
          z
            .string()
            .regex(/^\d{3}$/)
            .transform(Number),
        ])
        .nullish(),
      body: anything,
      choices: anything,
    })
    .nullish(),
  error: anything,
});

/** A line of a file of results: whose it is, and the completion, or why there is none. */
export type BatchResult = { readonly key: string } & ({ readonly body: unknown } | { readonly fault: string });

/**
 * Reads a line of a file of results; undefined where it is none, such as a line of requests.
 * @param value the line's JSON
 */
export function readBatchResult(value: unknown): BatchResult | undefined {
  const read = resultSchema.safeParse(value);
  if (!read.success) return undefined;
  const { custom_id: key, response, error } = read.data;
  if (response === undefined && error === undefined) return undefined;
  const status = response?.status_code ?? 200;
  const body = completionIn(response);
  const missing = body === undefined || body === null;
  // A code without words tells why there is no reply, and takes back none that is there.
  const words =
    wordsOf(error) ?? (missing ? wordsOf({ error }) : undefined) ?? (status === 200 ? undefined : wordsOf(body));
  if (words !== undefined || status !== 200 || missing)
    return {
      key,
      fault: [...(status === 200 ? [] : [`status ${status}`]), ...(words ? [words] : [])].join(": ") || "no reply",
    };
  return { key, body };
}

/**
 * What a response holds. Some proxies write the completion in place of the response, some its JSON as a text; SGLang,
 * which asks for one choice, writes that in place of a list.
 */
function completionIn(response: z.infer<typeof resultSchema>["response"]): unknown {
  const body = response?.body ?? (response?.choices ? response : undefined);
  const value = typeof body === "string" && /^\s*\{/.test(body) ? (jsonOf(body) ?? body) : body;
  const { choices } = (value ?? {}) as { choices?: unknown };
  return typeof choices === "object" && choices !== null && !Array.isArray(choices)
    ? { ...(value as object), choices: [choices] }
    : value;
}

/**
 * The reply in a result's completion, as if the server had sent it live.
 * @throws {BadReply} where it is no whole reply, or its log-probabilities cannot be true
 */
export function batchReply(
  body: unknown,
  request: Pick<AnswerRequest, "rows">,
  { logProbabilities, model }: Pick<ChatQuestion, "logProbabilities"> & Partial<Pick<ChatQuestion, "model">>,
): RawReply {
  const reply = readChatReply(body, model);
  const fault = logProbabilities ? faultOf(tokensOf(reply.logprobs), reply.text) : undefined;
  if (fault) throw new BadReply(`log-probabilities that are none: ${printableName(fault)}`);
  return rawReplyOf(reply, logProbabilities && request.rows.length === 1 ? lettersOfRows(request.rows) : undefined);
}
