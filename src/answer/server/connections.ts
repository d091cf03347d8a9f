import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Bounds on a client's slowness, in milliseconds and bytes. */
export interface ConnectionLimits {
  /** Connections at once; more are closed without an answer. */
  readonly connections: number;
  /** For a request's headers. */
  readonly headers: number;
  /** For a whole request. */
  readonly request: number;
  /** For the next request on a connection. */
  readonly idle: number;
  /** Without a byte of the answer being taken. */
  readonly stalled: number;
  /** Bytes of an answer that wait to be taken. */
  readonly unsent: number;
}

/*
 * Why idle connections are kept for so long: a client that asks again in the moment in which the server closes its idle
 * connection gets a reset instead of an answer. Node's server closes after five seconds, which is also when clients
 * that were told "Retry-After" come back: of 200 clients that waited for about that long, one request in 27 was reset.
 * Longer than the pools of clients keep theirs (undici 4 s, httpx 5 s, Go 90 s but told again), it is the client that
 * closes.
 */
export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  connections: 1000,
  headers: 15_000,
  request: 60_000,
  idle: 120_000,
  stalled: 30_000,
  unsent: 4 << 20,
};

/** Keeps the connections of a server within the limits: to be called before it listens. */
export function boundConnections(server: Server, limits: ConnectionLimits): void {
  server.maxConnections = limits.connections;
  server.headersTimeout = limits.headers;
  server.requestTimeout = limits.request;
  server.keepAliveTimeout = limits.idle;
  const answers = new WeakMap<object, ServerResponse>();
  server.prependListener("request", (request, response) => answers.set(request.socket, response));
  const open = new Map<Socket, { taken: number; since: number }>();
  server.on("connection", (socket) => {
    open.set(socket, { taken: 0, since: performance.now() });
    socket.on("close", () => open.delete(socket));
    // Nobody is turned away for the sake of connections on which nothing is going on.
    if (open.size >= 0.9 * limits.connections) server.closeIdleConnections();
  });
  // One look at all of them, rather than a timer for each write.
  const watch = setInterval(
    () => {
      for (const [socket, seen] of open) {
        const taken = socket.bytesWritten - socket.writableLength;
        if (socket.writableLength === 0 || taken > seen.taken) Object.assign(seen, { taken, since: performance.now() });
        else if (performance.now() - seen.since > limits.stalled) socket.destroy();
        if (socket.writableLength > limits.unsent) socket.destroy();
      }
    },
    Math.min(1000, limits.stalled / 4),
  );
  watch.unref();
  server.on("close", () => clearInterval(watch));
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const answer = answers.get(socket);
    // In the middle of an answer there is no place for another one.
    const answering = answer?.headersSent && !answer.writableFinished;
    if (!socket.writable || error.code === "ECONNRESET" || answering) socket.destroy();
    else refuse(error, socket as Socket);
  });
}

/** Answers what is not HTTP, or came too slowly, and closes. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  const [status, message] =
    error.code === "ERR_HTTP_REQUEST_TIMEOUT"
      ? ["408 Request Timeout", "the request did not come in time"]
      : error.code === "HPE_HEADER_OVERFLOW"
        ? ["431 Request Header Fields Too Large", "the headers are too large"]
        : ["400 Bad Request", "this is not HTTP as it is understood here"];
  const body = JSON.stringify({ error: { message, type: "invalid_request_error", param: null, code: null } });
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json; ` +
      `charset=utf-8\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  // Half closed, a connection would stay for as long as the client likes.
  socket.resume();
  setTimeout(() => socket.destroy(), 1000).unref();
}
