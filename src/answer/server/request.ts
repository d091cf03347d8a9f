import { z } from "zod";
import type { ChatMessage } from "../prompts.js";
import { ApiError } from "./errors.js";

/*
 * What of OpenAI's requests is understood. A key that would change the reply and is not understood is refused; keys that
 * only hint or track are passed over.
 */

const content = z.union(
  [
    z.string(),
    z
      .array(z.object({ type: z.literal("text"), text: z.string() }))
      .transform((parts) => parts.map((part) => part.text).join("")),
  ],
  "expected a text, or parts of the type text",
);

const stop = z
  .union(
    [z.string().min(1), z.array(z.string().min(1)).max(4)],
    "expected a text that is not empty, or up to four of them",
  )
  .nullish()
  .transform((value) => (value === null || value === undefined ? [] : typeof value === "string" ? [value] : value));

const common = {
  model: z.string(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  seed: z.number().int().nullish(),
  max_tokens: z.number().int().positive().nullish(),
  stop,
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().optional() }).nullish(),
  n: z.literal(1, "only one reply a request").nullish(),
  frequency_penalty: z.literal(0, "is not supported").nullish(),
  presence_penalty: z.literal(0, "is not supported").nullish(),
  logit_bias: z.record(z.string(), z.never("is not supported")).nullish(),
};

const chat = z.object({
  ...common,
  messages: z.array(z.object({ role: z.enum(["system", "developer", "user", "assistant"]), content })).min(1),
  max_completion_tokens: z.number().int().positive().nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.number().int().min(0).max(20).nullish(),
  tools: z.array(z.unknown()).max(0, "is not supported").nullish(),
  functions: z.array(z.unknown()).max(0, "is not supported").nullish(),
  modalities: z.array(z.literal("text", "only text is supported")).nullish(),
  response_format: z.object({ type: z.literal("text", "only text is supported") }).nullish(),
});

const completion = z.object({
  ...common,
  prompt: z.union(
    [
      z.string(),
      z
        .array(z.string())
        .length(1, "one prompt a request")
        .transform((prompts) => prompts[0] as string),
      z.array(z.number().int().nonnegative()).min(1),
    ],
    "expected a text, one text in a list, or token ids",
  ),
  logprobs: z.number().int().min(0).max(20).nullish(),
  echo: z.literal(false, "is not supported").nullish(),
  suffix: z.literal("", "is not supported").nullish(),
  best_of: z.literal(1, "is not supported").nullish(),
});

/** A request, read. */
export interface CompletionRequest {
  readonly kind: "chat" | "completion";
  readonly model: string;
  /** A chat, a text, or token ids. */
  readonly prompt: readonly ChatMessage[] | string | readonly number[];
  readonly temperature: number;
  readonly topShare: number;
  readonly seed: number | undefined;
  readonly maximumTokens: number | undefined;
  readonly stop: readonly string[];
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly topLogProbabilities: number | undefined;
}

/** @throws {ApiError} 400, naming the key */
export function readChatRequest(body: unknown): CompletionRequest {
  const request = parse(chat, body);
  if (request.top_logprobs && !request.logprobs)
    throw new ApiError(400, "top_logprobs needs logprobs: true", { param: "top_logprobs" });
  return {
    kind: "chat",
    prompt: request.messages.map((message) => ({
      role: message.role === "developer" ? "system" : message.role,
      content: message.content,
    })),
    ...commonOf(request),
    maximumTokens: request.max_completion_tokens ?? request.max_tokens ?? undefined,
    topLogProbabilities: request.logprobs ? (request.top_logprobs ?? 0) : undefined,
  };
}

/** @throws {ApiError} 400, naming the key */
export function readCompletionRequest(body: unknown): CompletionRequest {
  const request = parse(completion, body);
  // OpenAI's own default of this older route.
  return {
    kind: "completion",
    prompt: request.prompt,
    ...commonOf(request),
    maximumTokens: request.max_tokens ?? 16,
    topLogProbabilities: request.logprobs ?? undefined,
  };
}

type Common = z.infer<z.ZodObject<typeof common>>;

const commonOf = (
  request: Common,
): Pick<CompletionRequest, "model" | "temperature" | "topShare" | "seed" | "stop" | "stream" | "includeUsage"> => ({
  model: request.model,
  temperature: request.temperature ?? 1,
  topShare: request.top_p ?? 1,
  seed: request.seed ?? undefined,
  stop: request.stop,
  stream: request.stream ?? false,
  includeUsage: request.stream_options?.include_usage ?? false,
});

function parse<T extends z.ZodType>(schema: T, body: unknown): z.infer<T> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0] as z.core.$ZodIssue;
  const param = issue.path.map(String).join(".");
  throw new ApiError(400, `${param || "the request"}: ${issue.message}`, { param });
}
