import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/*
 * A local imitation of LM Studio's OpenAI-compatible server: its routes, its words, and by script its troubles.
 */

export interface ImitatedRequest {
  /** How many completions were asked for before this one. */
  readonly number: number;
  readonly model: string;
  readonly messages: readonly { role: string; content: string }[];
  readonly body: Record<string, unknown>;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Something other than a good reply. */
export type Trouble =
  | { status: number; body?: unknown; headers?: Record<string, string> }
  /** The connection ends before a reply, or in the middle of one. */
  | "cut"
  | "cut in the middle"
  /** LM Studio's words when another model was loaded in this one's place. */
  | "model unloaded"
  /** The prompt is longer than the context. */
  | "context"
  /** No reply ever. */
  | "silence"
  /** Status 200 with an error in the body, as LM Studio does at times. */
  | "error in the body"
  /** A body that never ends. */
  | "endless"
  /** Informational replies that never end. */
  | "informational without end"
  /** A good reply behind some informational ones. */
  | "informational"
  /** Status 200 with what differs from a good choice of it. */
  | { choice: Record<string, unknown> }
  /** Bytes as they are in place of HTTP's; the connection then ends. */
  | { raw: string };

export interface ImitationOptions {
  readonly models?: readonly string[];
  /** The only key that is let in; without it any is. */
  readonly apiKey?: string;
  readonly delayMilliseconds?: number;
  readonly reply?: (request: ImitatedRequest) => string;
  readonly reasoning?: (request: ImitatedRequest) => string | undefined;
  readonly trouble?: (request: ImitatedRequest) => Trouble | undefined;
  /** What is sent where log-probabilities are asked for. */
  readonly logProbabilities?: "true" | "none" | "zeros" | "the same for all";
  readonly port?: number;
}

export interface ChatImitation {
  /** The base URL, ending in /v1/. */
  readonly url: string;
  readonly seen: { models: number; completions: number; atOnce: number; mostAtOnce: number };
  stop(): Promise<void>;
}

/** How many questions a §4 prompt asks. */
export const questionsIn = (request: Pick<ImitatedRequest, "messages">): number =>
  [...(request.messages.at(-1)?.content ?? "").matchAll(/^Q\d+: /gm)].length || 1;

/** A letter that depends on the text alone. */
export const letterFor = (text: string): string =>
  "ABCD"[(createHash("sha256").update(text).digest()[0] as number) % 4] as string;

/** One letter a question, from each question's text. */
export const letterByQuestion = (request: Pick<ImitatedRequest, "messages">): string =>
  (request.messages.at(-1)?.content ?? "")
    .split(/^Q\d+: /m)
    .slice(questionsIn(request) > 1 || /^Q1: /.test(request.messages.at(-1)?.content ?? "") ? 1 : 0)
    .map((question) => letterFor(question.trim()))
    .join("\n");

export async function startChatImitation(options: ImitationOptions = {}): Promise<ChatImitation> {
  const models = options.models ?? ["gemma-3-27b-it"];
  const seen = { models: 0, completions: 0, atOnce: 0, mostAtOnce: 0 };
  const sockets = new Set<Socket>();

  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      if (options.apiKey !== undefined && request.headers.authorization !== `Bearer ${options.apiKey}`) {
        return sendJson(response, 401, {
          error: { message: "Incorrect API key provided", type: "invalid_request_error", code: "invalid_api_key" },
        });
      }
      const path = (request.url ?? "").replace(/\?.*$/, "");
      if (path === "/v1/models") {
        seen.models++;
        return sendJson(response, 200, {
          object: "list",
          data: models.map((id) => ({ id, object: "model", owned_by: "organization_owner" })),
        });
      }
      if (path === "/v1/chat/completions") return complete(request, response, Buffer.concat(pieces).toString("utf8"));
      if (path === "/v1/completions") return complete(request, response, Buffer.concat(pieces).toString("utf8"));
      return sendJson(response, 404, { error: `Unexpected endpoint or method. (${request.method} ${path})` });
    });
  });

  function complete(http: IncomingMessage, response: ServerResponse, text: string): void {
    const body = JSON.parse(text) as Record<string, unknown>;
    const request: ImitatedRequest = {
      number: seen.completions++,
      model: String(body.model),
      messages: (body.messages as ImitatedRequest["messages"] | undefined) ?? [
        { role: "user", content: String(body.prompt) },
      ],
      body,
      headers: http.headers,
    };
    seen.atOnce++;
    seen.mostAtOnce = Math.max(seen.mostAtOnce, seen.atOnce);
    response.on("close", () => seen.atOnce--);
    if (!models.includes(request.model)) {
      return sendJson(response, 404, {
        error: {
          message: `model "${request.model}" not found`,
          type: "invalid_request_error",
          param: "model",
          code: "model_not_found",
        },
      });
    }
    const trouble = options.trouble?.(request);
    const answer = (): void => {
      if (trouble === "informational") {
        response.writeProcessing();
        response.writeEarlyHints({ link: "</a>; rel=preload" });
        sendReply(response, request);
      } else if (trouble && typeof trouble === "object" && "choice" in trouble)
        sendReply(response, request, trouble.choice);
      else if (trouble) makeTrouble(trouble, response, request);
      else sendReply(response, request);
    };
    if (options.delayMilliseconds) setTimeout(answer, options.delayMilliseconds);
    else answer();
  }

  function sendReply(response: ServerResponse, request: ImitatedRequest, other: Record<string, unknown> = {}): void {
    const content = (options.reply ?? letterByQuestion)(request);
    const reasoning = options.reasoning?.(request);
    const created = Math.floor(Date.now() / 1000);
    const logprobs = request.body.logprobs
      ? logProbabilitiesOf(options.logProbabilities ?? "none", content, request)
      : null;
    const id = `chatcmpl-${request.number}`;
    const usage = { prompt_tokens: 100, completion_tokens: content.length, total_tokens: 100 + content.length };
    if (request.body.stream) {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const piece = (delta: unknown, finish: string | null): void =>
        void response.write(
          `data: ${JSON.stringify({ id, object: "chat.completion.chunk", created, model: request.model, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`,
        );
      piece({ role: "assistant", content: "" }, null);
      for (const character of content) piece({ content: character }, null);
      piece({}, "stop");
      response.end("data: [DONE]\n\n");
      return;
    }
    if (request.body.prompt !== undefined) {
      return sendJson(response, 200, {
        id,
        object: "text_completion",
        created,
        model: request.model,
        choices: [
          { index: 0, text: content, logprobs: logprobs && olderFormat(logprobs), finish_reason: "stop", ...other },
        ],
        usage,
      });
    }
    sendJson(response, 200, {
      id,
      object: "chat.completion",
      created,
      model: request.model,
      choices: [
        {
          index: 0,
          message: { role: "assistant", content, ...(reasoning ? { reasoning_content: reasoning } : {}) },
          logprobs,
          finish_reason: "stop",
          ...other,
        },
      ],
      usage,
    });
  }

  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`,
    seen,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  // A text is sent as it is: a page, or nothing.
  const text = typeof value === "string" ? value : JSON.stringify(value);
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

function makeTrouble(
  trouble: Exclude<Trouble, "informational" | { choice: unknown }>,
  response: ServerResponse,
  request: ImitatedRequest,
): void {
  if (typeof trouble === "object" && "raw" in trouble) return void response.socket?.end(trouble.raw, "latin1");
  if (typeof trouble === "object")
    return sendJson(
      response,
      trouble.status,
      trouble.body ?? { error: { message: `trouble ${trouble.status}` } },
      trouble.headers,
    );
  switch (trouble) {
    case "cut":
      response.socket?.destroy();
      return;
    case "cut in the middle":
      response.writeHead(200, { "content-type": "application/json", "content-length": 500 });
      response.write('{"id":"chatcmpl-0","choices":[{"message":{"content":"A');
      setTimeout(() => response.socket?.destroy(), 5);
      return;
    case "model unloaded":
      return sendJson(response, 400, { error: "Model unloaded." });
    case "context":
      return sendJson(response, 400, {
        error:
          "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with " +
          "context length of only 4096 tokens, which is not enough.",
      });
    case "error in the body":
      return sendJson(response, 200, { error: "The model has crashed without additional information. (Exit code: 6)" });
    case "silence":
      return;
    case "endless": {
      response.writeHead(200, { "content-type": "application/json" });
      const piece = Buffer.alloc(1 << 16, " ");
      const more = (): void => {
        while (!response.destroyed && response.write(piece));
        if (!response.destroyed) response.once("drain", more);
      };
      return more();
    }
    case "informational without end": {
      const { socket } = response;
      const clock = setInterval(() => socket?.write("HTTP/1.1 102 Processing\r\n\r\n"), 2);
      return void socket?.on("close", () => clearInterval(clock));
    }
    default:
      trouble satisfies never;
      throw new Error(`${String(trouble)} ${request.number}`);
  }
}

/** Log-probabilities as `/completions` has them. */
const olderFormat = ({ content }: NonNullable<ReturnType<typeof logProbabilitiesOf>>) => ({
  tokens: content.map(({ token }) => token),
  token_logprobs: content.map(({ logprob }) => logprob),
  top_logprobs: content.map(({ top_logprobs: top }) =>
    Object.fromEntries(top.map(({ token, logprob }) => [token, logprob])),
  ),
});

function logProbabilitiesOf(
  kind: NonNullable<ImitationOptions["logProbabilities"]>,
  content: string,
  request: ImitatedRequest,
) {
  if (kind === "none") return null;
  return {
    content: [...content].map((token) => {
      const top = topTokens(kind, token, JSON.stringify(request.messages)).slice(
        0,
        Number(request.body.top_logprobs ?? request.body.logprobs),
      );
      return {
        token,
        logprob: top[0]?.logprob ?? 0,
        bytes: [...Buffer.from(token)],
        top_logprobs: top.map((one) => ({ ...one, bytes: [...Buffer.from(one.token)] })),
      };
    }),
  };
}

function topTokens(
  kind: "true" | "zeros" | "the same for all",
  first: string,
  seed: string,
): { token: string; logprob: number }[] {
  const others = ["A", "B", "C", "D"].filter((token) => token !== first);
  if (kind === "zeros") return [first, ...others].map((token) => ({ token, logprob: 0 }));
  const bytes = createHash("sha256")
    .update(kind === "true" ? seed : "")
    .digest();
  const weights = [10 + (bytes[0] as number), ...others.map((_, index) => 1 + (bytes[index + 1] as number) / 64)].sort(
    (a, b) => b - a,
  );
  const total = weights.reduce((a, b) => a + b, 0) * 1.05;
  return [first, ...others].map((token, index) => ({ token, logprob: Math.log((weights[index] as number) / total) }));
}
