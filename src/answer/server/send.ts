import type { ServerResponse } from "node:http";
import type { ApiError } from "./errors.js";

export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  const text = JSON.stringify(value);
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

/** Sends an error; where a stream has begun, as its last piece, which the openai client throws. */
export function sendError(response: ServerResponse, error: ApiError): void {
  if (response.destroyed || response.writableEnded) return;
  if (response.headersSent) {
    response.end(`data: ${JSON.stringify(error.body)}\n\n`);
    return;
  }
  const wait = error.options.retryAfterSeconds;
  sendJson(response, error.status, error.body, wait === undefined ? {} : { "retry-after": String(wait) });
}
