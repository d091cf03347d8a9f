import { messageOf } from "./errors.js";
import { printableName } from "./printable.js";

/**
 * What became of a request that got no reply that could be read:
 * `address` (it cannot be sent at all), `unresolved` (no such host), `refused` (nobody listens), `certificate`,
 * `proxy`, `redirect` (to another address, which is never followed), `timeout`, `cut`, `size` (more came than is read),
 * `protocol` (it is no HTTP, or another protocol was switched to), `aborted` (by us).
 */
export type HttpFailureKind =
  | "address"
  | "unresolved"
  | "refused"
  | "certificate"
  | "proxy"
  | "redirect"
  | "timeout"
  | "cut"
  | "size"
  | "protocol"
  | "aborted";

/** A request without a whole reply. The message says what happened, in words, without the address. */
export class HttpFailure extends Error {
  constructor(
    readonly kind: HttpFailureKind,
    message: string,
    readonly code?: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** What an error of the system, of TLS or of undici means. */
export function failureOf(error: unknown): HttpFailure {
  if (error instanceof HttpFailure) return error;
  const code = codeOf(error);
  const said = printableName(innermost(error));
  const failure = (kind: HttpFailureKind, message: string): HttpFailure => new HttpFailure(kind, message, code, error);
  if (/Proxy response \((\d+)\)|Proxy Authentication Required/.test(said))
    return failure("proxy", `the proxy: ${said}`);
  switch (code) {
    case "ECONNREFUSED":
      return failure("refused", "connection refused");
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "ENETDOWN":
    case "EADDRNOTAVAIL":
      return failure("refused", `cannot be reached (${code})`);
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_NODATA":
    case "EAI_NONAME":
      return failure("unresolved", `the name does not resolve (${code})`);
    case "UND_ERR_CONNECT_TIMEOUT":
    case "ETIMEDOUT":
    case "UND_ERR_HEADERS_TIMEOUT":
    case "UND_ERR_BODY_TIMEOUT":
      return failure("timeout", `no connection in time (${code})`);
    case "UND_ERR_HEADERS_OVERFLOW":
      return failure("protocol", "its headers are too long");
    case "UND_ERR_INVALID_ARG":
      return failure("address", `it cannot be asked: ${said}`);
  }
  if (/bad upgrade/.test(said)) return failure("protocol", "it switched to another protocol (status 101)");
  if (/bad response/.test(said)) return failure("protocol", "its reply is not HTTP");
  if (code?.startsWith("HPE_")) return failure("protocol", `its reply is not HTTP (${code})`);
  if (code && /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|EPROTO/.test(code))
    return failure("certificate", `no secure connection: ${said} (${code})`);
  if (!code) return failure("cut", said || "connection cut");
  return failure("cut", `connection cut (${code === "UND_ERR_SOCKET" ? "ECONNRESET" : code})`);
}

/** Whether no later attempt will be spared this failure. */
export const isForGood = ({ kind, code }: HttpFailure): boolean =>
  kind === "address" ||
  kind === "certificate" ||
  kind === "proxy" ||
  kind === "redirect" ||
  (kind === "unresolved" && code === "ENOTFOUND");

/** The system's code, such as `ECONNREFUSED`, of an error or of what caused it. */
function codeOf(error: unknown): string | undefined {
  let found: string | undefined;
  for (let inner = error, depth = 0; inner instanceof Error && depth < 5; inner = inner.cause, depth++) {
    const told: unknown = inner instanceof AggregateError && !("code" in inner) ? inner.errors[0] : inner;
    if (told instanceof Error && "code" in told && typeof told.code === "string") found = told.code;
  }
  return found;
}

/** undici's fetch says only "fetch failed" and keeps the reason in the cause. */
function innermost(error: unknown): string {
  let inner = error;
  for (let depth = 0; inner instanceof Error && inner.cause instanceof Error && depth < 5; depth++) inner = inner.cause;
  return messageOf(inner) || codeOf(inner) || String(inner);
}
