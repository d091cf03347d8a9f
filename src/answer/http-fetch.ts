import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

/*
 * A `fetch` for the openai client over node:http. The built-in one cuts any reply that takes 300 s, whatever the
 * client's own timeout (its dispatcher cannot be set without another package), and costs twice the processor time a
 * request: `npm run bench:evaluate` at 256 at once is bound by that.
 */

/** As much of a `Response` as the openai client reads of a reply that is not a stream. */
class WholeResponse {
  readonly body = null;
  readonly status: number;
  readonly ok: boolean;
  readonly statusText: string;
  readonly headers = new Headers();
  readonly #text: string;

  constructor(message: IncomingMessage, text: string, readonly url: string) {
    this.status = message.statusCode ?? 0;
    this.ok = this.status >= 200 && this.status < 300;
    this.statusText = message.statusMessage ?? "";
    for (const name of ["content-type", "retry-after", "retry-after-ms", "x-request-id"]) {
      const value = message.headers[name];
      if (typeof value === "string") this.headers.set(name, value);
    }
    this.#text = text;
  }

  async text(): Promise<string> {
    return this.#text;
  }

  async json(): Promise<unknown> {
    return JSON.parse(this.#text);
  }
}

const SENT_HEADERS = ["authorization", "content-type", "accept", "user-agent"] as const;

const aborted = (): DOMException => new DOMException("This operation was aborted", "AbortError");

/** A fetch whose connections stay open between requests until `close`. The response is there once it is there whole. */
export function httpFetch(): { fetch: typeof globalThis.fetch; close(): void } {
  // No bound on sockets: who asks bounds how much is under way, and the clock starts when a request is sent.
  const agents = { "http:": new HttpAgent({ keepAlive: true }), "https:": new HttpsAgent({ keepAlive: true }) };

  const send = (address: string, init: RequestInit = {}): Promise<Response> =>
    new Promise((resolve, reject) => {
      const url = new URL(address);
      const secure = url.protocol === "https:";
      const given = init.headers instanceof Headers ? init.headers : new Headers(init.headers);
      const headers: Record<string, string | number> = {};
      for (const name of SENT_HEADERS) {
        const value = given.get(name);
        if (value !== null) headers[name] = value;
      }
      const body = typeof init.body === "string" ? init.body : undefined;
      if (body !== undefined) headers["content-length"] = Buffer.byteLength(body);
      const request = (secure ? httpsRequest : httpRequest)(url, { method: init.method ?? "GET", headers, agent: agents[secure ? "https:" : "http:"] });
      const signal = init.signal ?? undefined;
      const abort = (): void => {
        request.destroy(aborted());
      };
      const done = (): void => signal?.removeEventListener("abort", abort);
      const fail = (error: Error): void => {
        done();
        reject(signal?.aborted ? aborted() : error);
      };
      request.on("error", fail);
      request.on("response", (message) => {
        let text = "";
        message.setEncoding("utf8");
        message.on("data", (piece: string) => (text += piece));
        message.on("error", fail);
        message.on("end", () => {
          done();
          resolve(new WholeResponse(message, text, address) as unknown as Response);
        });
      });
      if (signal?.aborted) abort();
      else signal?.addEventListener("abort", abort, { once: true });
      request.end(body);
    });

  return {
    fetch: ((input: string | URL | Request, init?: RequestInit) => send(String(input), init)) as typeof globalThis.fetch,
    close() {
      agents["http:"].destroy();
      agents["https:"].destroy();
    },
  };
}
