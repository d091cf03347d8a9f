import { z } from "zod";
import type { ChatMessage } from "../prompts.js";
import { ApiError } from "./errors.js";

/*
 * What of OpenAI's requests is understood, each key with its bounds. A key that is not among them is refused by name,
 * as OpenAI does: it could change the reply. Passed over are keys that only track or hint, and any that says nothing
 * (null, false, empty).
 */

/** Messages of a chat, parts of a message, prompts of a request: the most of each. */
const MOST = { messages: 2048, parts: 2048, prompts: 128, stopLength: 1000, tokens: 1 << 20 };

const content = z.union(
  [
    z.string(),
    z
      .array(z.strictObject({ type: z.literal("text"), text: z.string() }))
      .max(MOST.parts)
      .transform((parts) => parts.map((part) => part.text).join("")),
  ],
  "expected a text, or parts of the type text",
);

const stop = z
  .union(
    [z.string().min(1).max(MOST.stopLength), z.array(z.string().min(1).max(MOST.stopLength)).max(4)],
    `expected a text that is not empty, or up to four of them, of at most ${MOST.stopLength} characters`,
  )
  .nullish()
  .transform((value) => (value === null || value === undefined ? [] : typeof value === "string" ? [value] : value));

/**
 * An object of known keys alone, and of unknown ones that say nothing: clients send back messages as they were sent
 * them.
 */
function known<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess((value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(
      Object.entries(value).filter(([key, said]) => Object.hasOwn(shape, key) || !saysNothing(said)),
    );
  }, z.strictObject(shape));
}

const saysNothing = (value: unknown): boolean =>
  value === null ||
  value === false ||
  value === "" ||
  (typeof value === "object" && Object.keys(value as object).length === 0);

const tracked = z.unknown().optional();
const newTokens = z.int().min(1).max(MOST.tokens).nullish();
const token = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);

const common = {
  model: z.string().max(1000),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  seed: z.int().nullish(),
  stop,
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  n: z.literal(1, "only one reply a request").nullish(),
  frequency_penalty: z.literal(0, "is not supported").nullish(),
  presence_penalty: z.literal(0, "is not supported").nullish(),
  user: tracked,
};

const chat = known({
  ...common,
  messages: z
    .array(known({ role: z.enum(["system", "developer", "user", "assistant"]), content }))
    .min(1)
    .max(MOST.messages),
  max_tokens: newTokens,
  max_completion_tokens: newTokens,
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  modalities: z.array(z.literal("text", "only text is supported")).max(1).nullish(),
  response_format: z.strictObject({ type: z.literal("text", "only text is supported") }).nullish(),
  tool_choice: z.enum(["none", "auto"], "is not supported").nullish(),
  metadata: tracked,
  parallel_tool_calls: tracked,
  prompt_cache_key: tracked,
  safety_identifier: tracked,
  service_tier: tracked,
  store: tracked,
});

const completion = known({
  ...common,
  prompt: z.union(
    [
      z.string().transform((prompt) => [prompt]),
      z
        .array(token)
        .min(1)
        .transform((prompt) => [prompt]),
      z.array(z.string()).min(1).max(MOST.prompts),
      z.array(z.array(token).min(1)).min(1).max(MOST.prompts),
    ],
    `expected a text, token ids, or a list of up to ${MOST.prompts} of either`,
  ),
  max_tokens: z.int().min(0).max(MOST.tokens).nullish(),
  logprobs: z.int().min(0).max(20).nullish(),
  echo: z.boolean().nullish(),
  best_of: z.literal(1, "is not supported").nullish(),
});

/** A chat, a text, or token ids. */
export type Prompt = readonly ChatMessage[] | string | readonly number[];

/** A request, read. */
export interface CompletionRequest {
  readonly kind: "chat" | "completion";
  readonly model: string;
  /** One; several of a completion. */
  readonly prompts: readonly Prompt[];
  /** Whether the reply begins with the prompt, its tokens' log-probabilities included. */
  readonly echo: boolean;
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
    prompts: [request.messages.map(({ role, content }) => ({ role: role === "developer" ? "system" : role, content }))],
    echo: false,
    ...commonOf(request),
    maximumTokens: request.max_completion_tokens ?? request.max_tokens ?? undefined,
    topLogProbabilities: request.logprobs ? (request.top_logprobs ?? 0) : undefined,
  };
}

/** @throws {ApiError} 400, naming the key */
export function readCompletionRequest(body: unknown): CompletionRequest {
  const request = parse(completion, body);
  const { prompt: prompts, echo, stream } = request;
  if (request.max_tokens === 0 && !echo)
    throw new ApiError(400, "max_tokens: 0 generates nothing: it needs echo: true", { param: "max_tokens" });
  if (stream && (echo || prompts.length > 1))
    throw new ApiError(400, "a stream has one prompt and no echo: leave stream out", { param: "stream" });
  return {
    kind: "completion",
    prompts,
    echo: echo ?? false,
    ...commonOf(request),
    // OpenAI's own default of this older route.
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
  const keys = issue.code === "unrecognized_keys" ? issue.keys : [];
  const param = [...issue.path, ...keys.slice(0, 1)].map(String).join(".").slice(0, 200);
  throw new ApiError(
    400,
    keys.length > 0
      ? `Unrecognized request argument supplied: ${param}`
      : `${param || "the request"}: ${issue.message}`,
    { param: param || undefined, code: keys.length > 0 ? "unknown_parameter" : undefined },
  );
}
