import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import OpenAI from "openai";

/*
 * The openai client over node:http. As it comes, it stands on the built-in fetch, which cuts any reply that takes 300 s
 * whatever the client's own timeout (LM Studio's users know that bound well), and it makes a dozen headers, an abort
 * controller and its listeners anew for each request: at 256 requests at once that, not the server, was the bound
 * (`npm run bench:evaluate`). Replies come whole here; streams are not for this client.
 */

type Place = Omit<RequestOptions, "headers"> & {
  readonly protocol: "http:" | "https:" /** Names and values in turn. */;
  readonly headers: readonly string[];
};

const NONE = new Headers();

export class PlainClient extends OpenAI {
  // No bound on sockets: who asks bounds how much is under way, so the clock starts when a request is truly sent.
  readonly #agents = {
    "http:": new HttpAgent({ keepAlive: true, maxFreeSockets: 1024 }),
    "https:": new HttpsAgent({ keepAlive: true, maxFreeSockets: 1024 }),
  };
  readonly #underWay = new Set<ClientRequest>();
  readonly #places = new Map<string, Place>();
  readonly #headers: readonly string[];

  constructor(options: { readonly baseURL: string; readonly apiKey: string; readonly timeoutMilliseconds: number }) {
    // The one retry layer is ours: the client's own would neither count nor show.
    super({
      baseURL: options.baseURL,
      apiKey: options.apiKey,
      timeout: options.timeoutMilliseconds,
      maxRetries: 0,
      logLevel: "off",
    });
    this.#headers = [
      "authorization",
      `Bearer ${options.apiKey}`,
      "content-type",
      "application/json",
      "accept",
      "application/json",
      "user-agent",
      "mmmlu-lab",
    ];
  }

  override async buildRequest(options: Parameters<OpenAI["buildRequest"]>[0]): ReturnType<OpenAI["buildRequest"]> {
    return {
      // All requests have the same headers: those of the place it is sent to.
      req: {
        method: options.method,
        headers: NONE,
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      },
      url: this.buildURL(options.path, options.query as Record<string, unknown> | undefined, options.defaultBaseURL),
      timeout: options.timeout ?? this.timeout,
    };
  }

  /** Sends; `milliseconds` bound the whole of it, from here to the reply's last byte. */
  override fetchWithTimeout(address: string, init: RequestInit | undefined, milliseconds: number): Promise<Response> {
    return new Promise((resolve, reject) => {
      const place = this.#placeOf(address);
      const body = init?.body as string | undefined;
      const request = (place.protocol === "https:" ? httpsRequest : httpRequest)({
        ...place,
        method: init?.method?.toUpperCase() ?? "GET",
        headers:
          body === undefined ? place.headers : [...place.headers, "content-length", String(Buffer.byteLength(body))],
      });
      this.#underWay.add(request);
      let late = false;
      const clock = setTimeout(() => {
        late = true;
        request.destroy(aborted());
      }, milliseconds);
      const done = (): void => {
        clearTimeout(clock);
        this.#underWay.delete(request);
      };
      const fail = (error: Error): void => {
        done();
        // What a destroyed connection says of itself depends on how far the reply was.
        reject(late ? aborted() : error);
      };
      request.on("error", fail);
      request.on("response", (message) => {
        const pieces: Buffer[] = [];
        message.on("data", (piece: Buffer) => pieces.push(piece));
        message.on("error", fail);
        message.on("end", () => {
          done();
          resolve(new WholeResponse(message, pieces, address) as unknown as Response);
        });
      });
      request.end(body);
    });
  }

  #placeOf(address: string): Place {
    const known = this.#places.get(address);
    if (known) return known;
    const { protocol, host, hostname, port, pathname, search } = new URL(address);
    if (protocol !== "http:" && protocol !== "https:") throw new TypeError(`${address} is neither http nor https`);
    // An IPv6 address stands in brackets in a URL, and without them here.
    const place: Place = {
      protocol,
      hostname: hostname.replace(/^\[|\]$/g, ""),
      port: port || undefined,
      path: `${pathname}${search}`,
      agent: this.#agents[protocol],
      headers: ["host", host, ...this.#headers],
    };
    this.#places.set(address, place);
    return place;
  }

  /** Drops all that is under way: those calls reject. */
  abortAll(): void {
    for (const request of this.#underWay) request.destroy(aborted());
  }

  close(): void {
    this.#agents["http:"].destroy();
    this.#agents["https:"].destroy();
  }
}

/** By this name the openai client knows a timeout. */
const aborted = (): DOMException => new DOMException("This operation was aborted", "AbortError");

/** As much of a `Response` as the openai client reads. */
class WholeResponse {
  readonly body = null;
  readonly status: number;
  readonly ok: boolean;
  readonly statusText: string;
  readonly headers = new Map<string, string>();

  constructor(
    message: IncomingMessage,
    private readonly pieces: readonly Buffer[],
    readonly url: string,
  ) {
    this.status = message.statusCode ?? 0;
    this.ok = this.status >= 200 && this.status < 300;
    this.statusText = message.statusMessage ?? "";
    for (const name in message.headers) {
      const value = message.headers[name];
      if (typeof value === "string") this.headers.set(name, value);
    }
  }

  async text(): Promise<string> {
    return (this.pieces.length === 1 ? (this.pieces[0] as Buffer) : Buffer.concat(this.pieces)).toString("utf8");
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }
}
