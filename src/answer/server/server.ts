import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf, UserError } from "../../base/errors.js";
import type { TextEngine } from "./engine.js";
import { ApiError } from "./errors.js";
import { generateReply, type ServerLimits } from "./generate-reply.js";
import { BoundedQueue } from "./queue.js";
import { readChatRequest, readCompletionRequest } from "./request.js";
import { sendError, sendJson } from "./send.js";

export interface ServeOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /** 127.0.0.1 unless told otherwise: nobody else's machine can ask. */
  readonly host?: string;
  /** The key that requests must carry; without one all are let in. */
  readonly apiKey?: string;
  /** Requests that may wait; one more is answered with status 429 and Retry-After. */
  readonly longestQueue?: number;
  readonly maximumBodyBytes?: number;
  readonly limits?: Partial<ServerLimits>;
  /** Told of faults of the engine or of the server: a line for the operator. */
  readonly log?: (line: string) => void;
}

/** A server that is running. */
export interface ModelServer {
  /** The base URL for clients, ending in /v1/. */
  readonly url: string;
  /** Ends at once: what is under way is dropped. The engine stays open. */
  close(): Promise<void>;
}

const DEFAULT_LIMITS: ServerLimits = { maximumTokens: 2048, maximumPromptTokens: 4096, defaultMaximumTokens: 256 };

/**
 * Serves a model as OpenAI does: `/v1/models`, `/v1/chat/completions`, `/v1/completions`, with streams and log-probabilities.
 * @throws {UserError} where the port is taken or may not be listened on
 */
export async function serveModel(engine: TextEngine, options: ServeOptions): Promise<ModelServer> {
  const host = options.host ?? "127.0.0.1";
  const queue = new BoundedQueue(engine.requestsAtOnce, options.longestQueue ?? 64);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const maximumBodyBytes = options.maximumBodyBytes ?? 1 << 20;
  const started = Math.floor(Date.now() / 1000);

  const model = { id: engine.id, object: "model", created: started, owned_by: "mmmlu-lab" };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "/").replace(/\?.*$/, "").replace(/(.)\/$/, "$1");
    if (path === "/health") return sendJson(response, 200, { status: "ok" });
    requireKey(request, options.apiKey);
    if (path === "/v1/models") {
      requireMethod(request, "GET");
      return sendJson(response, 200, { object: "list", data: [model] });
    }
    if (path.startsWith("/v1/models/")) {
      requireMethod(request, "GET");
      requireModel(decodeURIComponent(path.slice("/v1/models/".length)), engine.id);
      return sendJson(response, 200, model);
    }
    const read =
      path === "/v1/chat/completions"
        ? readChatRequest
        : path === "/v1/completions"
          ? readCompletionRequest
          : undefined;
    if (!read)
      throw new ApiError(
        404,
        `there is no ${path}; this server has /v1/models, /v1/chat/completions and /v1/completions`,
        { code: "unknown_url" },
      );
    requireMethod(request, "POST");
    const encoding = request.headers["content-encoding"] ?? "identity";
    if (encoding !== "identity")
      throw new ApiError(415, `the content-encoding ${encoding} is not read here: send the body as it is`, {
        code: "unsupported_encoding",
      });
    const asked = read(parseJson(await readBody(request, maximumBodyBytes)));
    requireModel(asked.model, engine.id);
    await generateReply(engine, queue, limits, asked, response);
  }

  const server = createServer((request, response) => {
    // A client that goes away is no fault.
    response.on("error", () => undefined);
    handle(request, response).catch((error: unknown) => {
      // A client that went away hears no answer, and has done nothing that the operator should read of.
      if (error instanceof RequestCut) return;
      const known = asApiError(error);
      if (known.status >= 500) options.log?.(`${request.method} ${request.url}: ${messageOf(error)}`);
      sendError(response, known);
    });
  });
  server.on("clientError", (error, socket) => {
    if (socket.writable && (error as NodeJS.ErrnoException).code !== "ECONNRESET")
      socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    else socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, host, options.port)));
    server.listen(options.port, host, resolve);
  });
  const { address, port, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === "IPv6" ? `[${address}]` : address}:${port}/v1/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): UserError {
  const why =
    error.code === "EADDRINUSE"
      ? "the port is taken"
      : error.code === "EACCES"
        ? "the port may not be listened on"
        : error.code === "EADDRNOTAVAIL"
          ? "this machine has no such address"
          : error.message;
  return new UserError(`cannot serve on ${host}:${port}: ${why}`, {
    hint: "Choose another with --port (0 takes any that is free) or --host.",
    cause: error,
  });
}

function requireKey(request: IncomingMessage, key: string | undefined): void {
  if (key === undefined) return;
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  const given = /^Bearer\s+(.*)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
  if (!timingSafeEqual(digest(given), digest(key)))
    throw new ApiError(401, "Incorrect API key provided", { code: "invalid_api_key" });
}

function requireMethod(request: IncomingMessage, method: string): void {
  if (request.method !== method)
    throw new ApiError(405, `${request.method} is not for this route: use ${method}`, { code: "method_not_allowed" });
}

function requireModel(name: string, id: string): void {
  if (name !== id)
    throw new ApiError(404, `The model \`${name}\` does not exist; this server has ${id}`, {
      param: "model",
      code: "model_not_found",
    });
}

/** The client went away before its request had come. */
class RequestCut extends Error {}

function readBody(request: IncomingMessage, maximum: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let size = 0;
    const tooLarge = (bytes: string): void => {
      pieces.length = 0;
      reject(
        new ApiError(413, `the body has ${bytes} bytes, more than the ${maximum} that are taken`, {
          code: "request_too_large",
        }),
      );
    };
    // Refused at once; what still comes is let pass unkept, for a while, so that the client hears the answer rather than a broken connection.
    const announced = Number(request.headers["content-length"]);
    if (announced > maximum) tooLarge(String(announced));
    request.on("data", (piece: Buffer) => {
      size += piece.length;
      if (size <= maximum) pieces.push(piece);
      else if (size > 128 * maximum) request.destroy();
      else tooLarge(`at least ${size}`);
    });
    request.on("end", () => resolve(Buffer.concat(pieces).toString("utf8")));
    request.on("error", () => reject(new RequestCut()));
    request.on("close", () => reject(new RequestCut()));
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ApiError(400, `the body is not JSON: ${messageOf(error)}`, { code: "invalid_json" });
  }
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof UserError) return new ApiError(400, error.message);
  if (error instanceof URIError) return new ApiError(400, "the URL is malformed");
  return new ApiError(500, "the server failed to answer", { code: "internal_error" });
}
