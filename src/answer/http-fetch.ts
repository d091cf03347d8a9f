import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest, type RequestOptions } from "node:http";
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

/** A fetch for one server, whose connections stay open between requests. */
export interface HttpFetch {
  /** The response is there once it is there whole. */
  readonly fetch: typeof globalThis.fetch;
  /** Drops all that is under way: those calls reject with an AbortError. */
  abortAll(): void;
  close(): void;
}

export function httpFetch(): HttpFetch {
  // No bound on sockets: who asks bounds how much is under way, and the clock starts when a request is sent.
  const agents = { "http:": new HttpAgent({ keepAlive: true }), "https:": new HttpsAgent({ keepAlive: true }) };
  const underWay = new Set<ClientRequest>();
  const places = new Map<string, RequestOptions & { protocol: "http:" | "https:" }>();

  const placeOf = (address: string): RequestOptions & { protocol: "http:" | "https:" } => {
    const known = places.get(address);
    if (known) return known;
    const { protocol, hostname, port, pathname, search } = new URL(address);
    if (protocol !== "http:" && protocol !== "https:") throw new TypeError(`${address} is neither http nor https`);
    // An IPv6 address stands in brackets in a URL, and without them here.
    const place = { protocol, hostname: hostname.replace(/^\[|\]$/g, ""), port: port || undefined, path: `${pathname}${search}`, agent: agents[protocol] } as const;
    places.set(address, place);
    return place;
  };

  const send = (address: string, init: RequestInit = {}): Promise<Response> =>
    new Promise((resolve, reject) => {
      const place = placeOf(address);
      const given = init.headers instanceof Headers ? init.headers : new Headers(init.headers);
      const headers: Record<string, string | number> = {};
      for (const name of SENT_HEADERS) {
        const value = given.get(name);
        if (value !== null) headers[name] = value;
      }
      const body = typeof init.body === "string" ? init.body : undefined;
      if (body !== undefined) headers["content-length"] = Buffer.byteLength(body);
      const request = (place.protocol === "https:" ? httpsRequest : httpRequest)({ ...place, method: init.method ?? "GET", headers });
      underWay.add(request);
      const signal = init.signal ?? undefined;
      const abort = (): void => void request.destroy(aborted());
      const done = (): void => {
        underWay.delete(request);
        signal?.removeEventListener("abort", abort);
      };
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
      else signal?.addEventListener("abort", abort);
      request.end(body);
    });

  return {
    fetch: ((input: string | URL | Request, init?: RequestInit) => send(String(input), init)) as typeof globalThis.fetch,
    abortAll() {
      for (const request of underWay) request.destroy(aborted());
    },
    close() {
      agents["http:"].destroy();
      agents["https:"].destroy();
    },
  };
}
