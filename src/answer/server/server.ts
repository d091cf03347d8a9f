import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf, UserError } from "../../base/errors.js";
import { printableName } from "../../base/printable.js";
import { type Access, answeredAtTheDoor, checkAccess, requireKey } from "./access.js";
import { ByteBudget } from "./admission.js";
import { RequestCut, readJsonBody } from "./body.js";
import { boundConnections, type ConnectionLimits, DEFAULT_CONNECTION_LIMITS } from "./connections.js";
import type { TextEngine } from "./engine.js";
import { ApiError } from "./errors.js";
import { generateReply } from "./generate-reply.js";
import type { ServerLimits } from "./limits.js";
import { BoundedQueue } from "./queue.js";
import { readChatRequest, readCompletionRequest } from "./request.js";
import { sendError, sendJson } from "./send.js";

export interface ServeOptions extends Omit<Access, "host"> {
  /** 0 takes any free port. */
  readonly port: number;
  /** 127.0.0.1 unless told otherwise: nobody else's machine can ask. */
  readonly host?: string;
  /** Requests that may wait; one more is answered with status 429 and Retry-After. */
  readonly longestQueue?: number;
  readonly maximumBodyBytes?: number;
  /**
   * Bytes of bodies held at once, of requests being read, waiting and worked on; what would go past them is answered
   * with 429.
   */
  readonly maximumHeldBytes?: number;
  readonly limits?: Partial<ServerLimits>;
  readonly connections?: Partial<ConnectionLimits>;
  /** Told of faults of the engine or of the server: a line for the operator. */
  readonly log?: (line: string) => void;
}

/** A server that is running. */
export interface ModelServer {
  /** The base URL for clients, ending in /v1/. */
  readonly url: string;
  /** Bytes of bodies that are held, and the most that ever were. */
  readonly held: { readonly bytes: number; readonly peak: number };
  /** Ends at once: what is under way is dropped. The engine stays open. */
  close(): Promise<void>;
}

const DEFAULT_LIMITS: ServerLimits = { maximumTokens: 2048, maximumPromptTokens: 4096, defaultMaximumTokens: 256 };

/**
 * Serves a model as OpenAI does: `/v1/models`, `/v1/chat/completions`, `/v1/completions`, with streams and
 * log-probabilities.
 * @throws {UserError} where the port is taken or may not be listened on
 * @throws {UsageError} where other machines could ask without a key, unless `allowUnauthenticated`
 */
export async function serveModel(engine: TextEngine, options: ServeOptions): Promise<ModelServer> {
  const access: Access = { ...options, host: options.host ?? "127.0.0.1" };
  checkAccess(access);
  const queue = new BoundedQueue(engine.requestsAtOnce, options.longestQueue ?? 64);
  const budget = new ByteBudget(options.maximumHeldBytes ?? 16 << 20);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const maximumBodyBytes = options.maximumBodyBytes ?? 1 << 20;
  const started = Math.floor(Date.now() / 1000);

  const model = { id: engine.id, object: "model", created: started, owned_by: "mmmlu-lab" };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (answeredAtTheDoor(request, response, access)) return;
    const path = request.url!.replace(/\?.*$/s, "").replace(/(.)\/$/, "$1");
    if (path === "/health") {
      requireMethod(request, "GET");
      return sendJson(response, 200, { status: "ok" });
    }
    requireKey(request, access.apiKey);
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
        "there is no such route: this server has /v1/models, /v1/chat/completions, /v1/completions",
        {
          code: "unknown_url",
        },
      );
    requireMethod(request, "POST");
    // What cannot be taken is not read: neither where the queue is full nor where the body's bytes have no room.
    queue.requireRoom();
    const announced = Number(request.headers["content-length"] ?? 0);
    if (announced <= maximumBodyBytes) budget.requireRoom(announced);
    const share = budget.share();
    // Held until the answer has gone, or its client.
    response.on("close", () => share.release());
    const asked = read(await readJsonBody(request, maximumBodyBytes, share));
    requireModel(asked.model, engine.id);
    await generateReply(engine, queue, limits, asked, response);
  }

  const server = createServer(
    { insecureHTTPParser: false, connectionsCheckingInterval: checkingInterval(options.connections) },
    (request, response) => {
      // A client that goes away is no fault.
      response.on("error", () => undefined);
      request.on("error", () => undefined);
      handle(request, response).catch((error: unknown) => {
        // A client that went away hears no answer, and has done nothing that the operator should read of.
        if (error instanceof RequestCut) return;
        const known = asApiError(error);
        if (known.status >= 500)
          options.log?.(printableName(`${request.method} ${request.url?.slice(0, 200)}: ${messageOf(error)}`));
        sendError(response, known);
      });
    },
  );
  boundConnections(server, { ...DEFAULT_CONNECTION_LIMITS, ...options.connections });
  await listen(server, options.port, access.host);
  const { address, port, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === "IPv6" ? `[${address}]` : address}:${port}/v1/`,
    get held() {
      return { bytes: budget.held, peak: budget.peak };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** How often Node looks for requests that are late. */
const checkingInterval = ({ headers, request }: Partial<ConnectionLimits> = {}): number =>
  Math.min(1000, ...[headers, request].map((limit) => (limit ?? 4000) / 4));

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
    server.listen({ port, host, backlog: 1024 }, resolve);
  });
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

/** HEAD goes where GET goes: Node leaves its body out. */
function requireMethod({ method }: IncomingMessage, wanted: "GET" | "POST"): void {
  if (method === wanted || (method === "HEAD" && wanted === "GET")) return;
  throw new ApiError(405, `${method} is not for this route: use ${wanted}`, {
    code: "method_not_allowed",
    allow: wanted === "GET" ? "GET, HEAD, OPTIONS" : "POST, OPTIONS",
  });
}

function requireModel(name: string, id: string): void {
  if (name !== id)
    throw new ApiError(404, `The model \`${name.slice(0, 200)}\` does not exist; this server has ${id}`, {
      param: "model",
      code: "model_not_found",
    });
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof UserError) return new ApiError(400, error.message);
  if (error instanceof URIError) return new ApiError(400, "the URL is malformed");
  return new ApiError(500, "the server failed to answer", { code: "internal_error" });
}
