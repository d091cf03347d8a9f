import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { UsageError } from "../../base/errors.js";
import { isAllowedOrigin, isLoopback, type OwnAddress, whyForeign } from "../../base/local-requests.js";
import { ApiError } from "./errors.js";

/** Who may ask a model's server. */
export interface Access extends OwnAddress {
  /** The key that requests must carry; without one all are let in. */
  readonly apiKey?: string;
  /** Other machines may ask without a key. */
  readonly allowUnauthenticated?: boolean;
}

/**
 * @throws {UsageError} where other machines could ask without a key and nobody has said that they may; where a key or
 * an origin is none
 */
export function checkAccess({
  host,
  apiKey,
  allowUnauthenticated,
  allowedHosts = [],
  allowedOrigins = [],
}: Access): void {
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey))
    throw new UsageError("the API key is empty, or has blanks or characters that a header cannot carry", {
      hint: "Give --api-key (or MMMLU_API_KEY) a key of letters, digits and signs, or leave it out.",
    });
  if (apiKey === undefined && !isLoopback(host) && !allowUnauthenticated)
    throw new UsageError(`on ${JSON.stringify(host)} other machines could ask without a key`, {
      hint:
        "Give --api-key (or MMMLU_API_KEY) a key, leave --host out, or let everybody in with " +
        "--allow-unauthenticated.",
    });
  for (const name of allowedHosts) {
    if (!/^(\[[0-9a-f:.]+\]|[\w.-]+)$/i.test(name))
      throw new UsageError(`${JSON.stringify(name)} is no name of a host`, {
        hint: "--allowed-host takes a name or an address alone, without http:// and without a port.",
      });
  }
  for (const origin of allowedOrigins) {
    if (!/^https?:\/\/(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i.test(origin))
      throw new UsageError(`${JSON.stringify(origin)} is no origin of a page`, {
        hint:
          "--allowed-origin takes a scheme, a name and a port, such as https://lab.example or " +
          "http://localhost:3000.",
      });
  }
}

/**
 * Turns away who may not ask, before anything of a request is read, and answers browsers that ask beforehand.
 * @returns true where the request has been answered
 * @throws {ApiError} 400 (no clear address), 401 (key), 403 (another site)
 */
export function answeredAtTheDoor(request: IncomingMessage, response: ServerResponse, access: Access): boolean {
  // A second Host header, or an address in the first line, could name another server than the one that is judged.
  if ((request.headersDistinct.host ?? []).length > 1) throw new ApiError(400, "there is more than one Host header");
  if (!request.url?.startsWith("/") && !(request.method === "OPTIONS" && request.url === "*"))
    throw new ApiError(400, "a request asks for a path, which begins with /");
  const foreign = whyForeign(request.headers, access);
  if (foreign !== undefined)
    throw new ApiError(403, `${foreign} (--allowed-host and --allowed-origin let others in)`, { code: "forbidden" });
  const { origin } = request.headers;
  if (origin !== undefined && isAllowedOrigin(origin, access)) allowOrigin(request, response, origin);
  if (request.method === "OPTIONS") {
    response.writeHead(204, { allow: "GET, HEAD, POST, OPTIONS" });
    response.end();
    return true;
  }
  return false;
}

/** CORS: what a page of an allowed origin may send and read. */
function allowOrigin(request: IncomingMessage, response: ServerResponse, origin: string): void {
  response.setHeader("access-control-allow-origin", origin);
  response.setHeader("access-control-expose-headers", "retry-after");
  response.setHeader("vary", "origin");
  if (request.method !== "OPTIONS" || request.headers["access-control-request-method"] === undefined) return;
  response.setHeader("access-control-allow-methods", "GET, POST");
  response.setHeader("access-control-max-age", "600");
  // The openai client sends headers of its own, `x-stainless-…`: a page that may ask may send any.
  const headers = request.headers["access-control-request-headers"];
  if (headers !== undefined) response.setHeader("access-control-allow-headers", headers);
}

/** @throws {ApiError} 401 */
export function requireKey(request: IncomingMessage, key: string | undefined): void {
  if (key === undefined) return;
  // Digests are of one length, and compared in a time that does not depend on where they differ.
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  const given = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
  if (!timingSafeEqual(digest(given), digest(key)))
    throw new ApiError(401, "Incorrect API key provided", { code: "invalid_api_key" });
}
