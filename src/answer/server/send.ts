import type { ServerResponse } from "node:http";
import type { ApiError } from "./errors.js";

/** Bytes given to a connection at once: what a slow client has not taken waits once, not twice. */
const PIECE = 64 << 10;

/** What is still read of a request that was answered before it had come whole, and for how long. */
const LINGER = { bytes: 8 << 20, milliseconds: 5000 };

export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": bytes.length,
    ...headers,
  });
  if (bytes.length <= PIECE) endAfterRequest(response, bytes);
  else writeFrom(0);

  function writeFrom(start: number): void {
    for (let at = start; at < bytes.length; at += PIECE) {
      if (!response.write(bytes.subarray(at, at + PIECE)))
        return void response.once("drain", () => writeFrom(at + PIECE));
    }
    response.end();
  }
}

/** Sends an error; where a stream has begun, as its last piece, which the openai client throws. */
export function sendError(response: ServerResponse, error: ApiError): void {
  if (response.destroyed || response.writableEnded) return;
  if (response.headersSent) {
    response.end(`data: ${JSON.stringify(error.body)}\n\n`);
    return;
  }
  sendJson(response, error.status, error.body, error.headers);
}

/**
 * Sends the last of a response, and ends it when its request has been read. A connection that is closed while bytes of
 * its client are unread is reset by the kernel, and the reset throws away the answer on the client's side: so what
 * still comes is read and dropped, within {@link LINGER}'s bounds, before the connection may be closed.
 */
function endAfterRequest(response: ServerResponse, last: Buffer): void {
  const { req: request } = response;
  if (request.complete || request.destroyed) {
    response.end(last);
    return;
  }
  response.write(last);
  let dropped = 0;
  const patience = setTimeout(() => request.destroy(), LINGER.milliseconds);
  request.on("data", (piece: Buffer) => {
    dropped += piece.length;
    if (dropped > LINGER.bytes) request.destroy();
  });
  request.on("end", () => response.end());
  request.on("close", () => clearTimeout(patience));
  request.resume();
}
