import type { IncomingMessage } from "node:http";
import { messageOf } from "../../base/errors.js";
import type { ByteShare } from "./admission.js";
import { ApiError } from "./errors.js";

/** The client went away before its request had come. */
export class RequestCut extends Error {}

/**
 * Reads a body that says it is JSON.
 * @param maximum bytes that it may have
 * @param share counts its bytes as they come
 * @throws {ApiError} 400 (no JSON, no UTF-8), 413 (too large), 415 (another type or encoding), 429 (no room)
 * @throws {RequestCut} where the client went away
 */
export async function readJsonBody(request: IncomingMessage, maximum: number, share: ByteShare): Promise<unknown> {
  requireJson(request);
  const bytes = await readBody(request, maximum, share);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ApiError(400, "the body is not UTF-8", { code: "invalid_encoding" });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ApiError(400, `the body is not JSON: ${messageOf(error).slice(0, 200)}`, { code: "invalid_json" });
  }
}

/** A form or a page of another site can send `text/plain` without asking first, but never JSON. */
function requireJson({ headers }: IncomingMessage): void {
  const [type = "", ...parameters] = (headers["content-type"] ?? "")
    .split(";")
    .map((part) => part.trim().toLowerCase());
  if (type !== "application/json")
    throw new ApiError(415, "the body is to be JSON: send it with content-type: application/json", {
      code: "unsupported_media_type",
    });
  const charset = parameters.find((one) => one.startsWith("charset="))?.slice("charset=".length);
  if (charset !== undefined && !/^"?utf-?8"?$/.test(charset))
    throw new ApiError(415, "the body is to be JSON in UTF-8", { code: "unsupported_media_type" });
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity")
    throw new ApiError(415, "a content-encoding is not read here: send the body as it is", {
      code: "unsupported_encoding",
    });
}

function readBody(request: IncomingMessage, maximum: number, share: ByteShare): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let size = 0;
    const refuse = (error: unknown): void => {
      pieces.length = 0;
      request.off("data", take);
      reject(error);
    };
    const tooLarge = (bytes: string): ApiError =>
      new ApiError(413, `the body has ${bytes} bytes, more than the ${maximum} that are taken`, {
        code: "request_too_large",
      });
    const take = (piece: Buffer): void => {
      size += piece.length;
      if (size > maximum) return refuse(tooLarge(`at least ${size}`));
      try {
        share.add(piece.length);
      } catch (error) {
        return refuse(error);
      }
      pieces.push(piece);
    };
    const announced = Number(request.headers["content-length"]);
    if (announced > maximum) return refuse(tooLarge(String(announced)));
    request.on("data", take);
    request.on("end", () => resolve(Buffer.concat(pieces)));
    request.on("error", () => reject(new RequestCut()));
    request.on("close", () => reject(new RequestCut()));
  });
}
