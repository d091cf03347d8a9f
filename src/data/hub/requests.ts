import { printableName } from "../../base/printable.js";
import type { HubSettings } from "./settings.js";

/** The hub answered, and not with what was asked for. */
export class HubRefusal extends Error {
  constructor(
    readonly status: number,
    /** Why, in the hub's words. */
    readonly said = "",
  ) {
    super(`status ${status}${said && `: ${said}`}`);
    this.name = "HubRefusal";
  }

  /** Of an answer: the hub says why in a header. */
  static of({ status, headers }: Response): HubRefusal {
    return new HubRefusal(status, printableName(headers.get("x-error-message") ?? "", 300));
  }
}

/** Headers for an address: who asks is told to the hub alone. */
export const authorized = (url: string, settings: HubSettings): Record<string, string> =>
  settings.authorization !== undefined && new URL(url).origin === new URL(settings.endpoint).origin
    ? { authorization: settings.authorization }
    : {};

/**
 * A response's body as text.
 * @throws {Error} where it has more than `most` bytes; what is more is not read
 */
export async function boundedText(response: Response, most: number): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of (response.body ?? []) as unknown as AsyncIterable<Uint8Array>) {
    // Leaving the loop cancels the body.
    if ((length += piece.length) > most) throw new Error(`the hub's answer has more than ${most} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}
