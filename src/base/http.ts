import { type Dispatcher, Agent as HttpAgent, fetch as undiciFetch } from "undici";
import { withoutCredentials } from "./addresses.js";
import { failureOf, HttpFailure } from "./http-failure.js";
import { proxies } from "./http-proxies.js";
import { printableName } from "./printable.js";
import { VERSION } from "./versions.js";

/*
 * The one HTTP client: undici's dispatcher, bounded in time and bytes. Replies to questions come whole (`ask`); files
 * of a hub come as streams (`fetch`). The built-in fetch cuts any reply that takes 300 s, and its objects cost at 256
 * requests at once more than the server does (`npm run bench:evaluate`).
 */

export interface HttpQuestion {
  readonly method: "GET" | "POST" | "HEAD" | "PUT";
  readonly url: string;
  /** Names and values in turn, names in small letters. */
  readonly headers?: readonly string[];
  readonly body?: string | Uint8Array;
  /** From here to the reply's last byte. */
  readonly timeoutMilliseconds: number;
  /** Bytes of the reply's body. */
  readonly maximumBytes: number;
}

/** A reply as it came, whole, whatever its status. */
export interface HttpReply {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: Buffer;
}

/** A reply's headers; of one that came several times, the first counts. */
export class HttpHeaders {
  constructor(private readonly raw: readonly Buffer[]) {}

  get(name: string): string | null {
    for (let at = 0; at + 1 < this.raw.length; at += 2)
      if ((this.raw[at] as Buffer).toString("latin1").toLowerCase() === name)
        return (this.raw[at + 1] as Buffer | undefined)?.toString("latin1") ?? null;
    return null;
  }
}

/** Hops to another path of the same server that are followed. */
const HOPS = 3;

/** Informational replies (1xx) before the real one. */
const INFORMATIONAL = 10;

export class HttpClient {
  // No bound on sockets: who asks bounds how much is under way, so that the clock starts when a request is truly sent.
  private readonly direct = new HttpAgent(SILENCE);
  private proxied: Dispatcher | undefined;
  private readonly underWay = new Set<Exchange>();
  private readonly places = new Map<string, Place>();

  /**
   * @param environment where the proxies are named: `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`; this machine is never
   * asked through one
   */
  constructor(private readonly environment: NodeJS.ProcessEnv = process.env) {}

  /**
   * Sends a question and awaits its whole reply. A redirect is followed only where it stays on the same server: what is
   * sent (a key among it) goes to nobody else.
   * @throws {HttpFailure} where there is no whole reply within the bounds; {UserError} where a proxy's variable is no
   * address
   */
  async ask(question: HttpQuestion): Promise<HttpReply> {
    let reply = await this.once(question);
    let { url } = question;
    for (let hop = 0; reply.status >= 300 && reply.status < 400 && reply.status !== 304; hop++) {
      const location = reply.headers.get("location");
      const kept = reply.status === 307 || reply.status === 308 || question.method !== "POST";
      const target = location !== null && URL.canParse(location, url) ? new URL(location, url) : undefined;
      if (!target || !kept || hop === HOPS || target.origin !== new URL(url).origin)
        throw new HttpFailure(
          "redirect",
          `it redirects (status ${reply.status}) to ` +
            `${target ? printableName(withoutCredentials(target.href)) : "nowhere"}`,
        );
      url = target.href;
      reply = await this.once({ ...question, url });
    }
    return reply;
  }

  private once(question: HttpQuestion): Promise<HttpReply> {
    return new Promise((resolve, reject) => {
      const place = this.placeOf(question.url);
      const exchange = new Exchange(question, resolve, reject, this.underWay);
      this.underWay.add(exchange);
      place.dispatcher.dispatch(
        {
          origin: place.origin,
          path: place.path,
          method: question.method,
          headers: [...USER_AGENT, ...(question.headers ?? [])],
          body: question.body,
          // The exchange has a clock of its own, over the whole of it.
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        exchange,
      );
    });
  }

  /**
   * As the built-in `fetch`, through the same proxies: for replies that are streamed. Redirects follow fetch's own
   * rules (another host gets no authorization); a server that is silent for a minute is given up.
   */
  async fetch(url: string, init: RequestInit = {}): Promise<Response> {
    const { dispatcher } = this.placeOf(url);
    const reply = await undiciFetch(url, { ...init, dispatcher } as Parameters<typeof undiciFetch>[1]);
    return reply as unknown as Response;
  }

  private placeOf(address: string): Place {
    const known = this.places.get(address);
    if (known) return known;
    if (!URL.canParse(address)) throw new HttpFailure("address", "it is no address");
    const url = new URL(address);
    if (url.protocol !== "http:" && url.protocol !== "https:")
      throw new HttpFailure("address", `${url.protocol} is neither http nor https`);
    const place = {
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      dispatcher: isLoopback(url.hostname)
        ? this.direct
        : (this.proxied ??= proxies(this.environment, SILENCE) ?? this.direct),
    };
    // A hub has an address for each file.
    if (this.places.size < 100) this.places.set(address, place);
    return place;
  }

  /** Drops all that is under way: those questions fail as `aborted`. */
  abortAll(): void {
    for (const exchange of [...this.underWay]) exchange.stop(new HttpFailure("aborted", "stopped"));
  }

  async close(): Promise<void> {
    this.abortAll();
    await Promise.all([this.direct.destroy(), this.proxied?.destroy()]);
  }
}

/** Milliseconds of silence before a header or within a body, where nothing else bounds the time. */
const SILENCE = { headersTimeout: 60_000, bodyTimeout: 60_000 };

const USER_AGENT = ["user-agent", `mmmlu-lab/${VERSION}`];

interface Place {
  readonly origin: string;
  readonly path: string;
  readonly dispatcher: Dispatcher;
}

/** One question under way. */
class Exchange implements Dispatcher.DispatchHandlers {
  private abort: ((error: Error) => void) | undefined;
  private over: HttpFailure | undefined;
  private readonly pieces: Buffer[] = [];
  private bytes = 0;
  private status = 0;
  private headers: readonly Buffer[] = [];
  private informational = 0;
  private readonly clock: NodeJS.Timeout;

  constructor(
    private readonly question: HttpQuestion,
    private readonly resolve: (reply: HttpReply) => void,
    private readonly reject: (error: unknown) => void,
    private readonly underWay: Set<Exchange>,
  ) {
    const milliseconds = question.timeoutMilliseconds;
    this.clock = setTimeout(
      () => this.stop(new HttpFailure("timeout", `no reply within ${milliseconds / 1000} s`)),
      milliseconds,
    );
  }

  stop(failure: HttpFailure): void {
    if (this.over) return;
    this.over = failure;
    this.done();
    this.reject(failure);
    this.abort?.(failure);
  }

  private done(): void {
    clearTimeout(this.clock);
    this.underWay.delete(this);
  }

  onConnect(abort: (error?: Error) => void): void {
    this.abort = abort;
    if (this.over) abort(this.over);
  }

  onHeaders(status: number, headers: Buffer[]): boolean {
    if (status < 200) {
      if (++this.informational > INFORMATIONAL)
        this.stop(new HttpFailure("protocol", `more than ${INFORMATIONAL} informational replies (status ${status})`));
      return true;
    }
    this.status = status;
    this.headers = headers;
    const told = Number(new HttpHeaders(headers).get("content-length") ?? 0);
    if (this.question.method !== "HEAD" && told > this.question.maximumBytes) this.tooLarge();
    return true;
  }

  onData(piece: Buffer): boolean {
    if (this.over) return true;
    this.bytes += piece.length;
    if (this.bytes > this.question.maximumBytes) this.tooLarge();
    else this.pieces.push(piece);
    return true;
  }

  private tooLarge(): void {
    const { maximumBytes: most } = this.question;
    this.stop(
      new HttpFailure("size", `a reply of more than ${most >= 2 ** 20 ? `${most / 2 ** 20} MiB` : `${most} bytes`}`),
    );
  }

  onUpgrade(): void {
    this.stop(new HttpFailure("protocol", "it switched to another protocol"));
  }

  onComplete(): void {
    if (this.over) return;
    this.done();
    const body = this.pieces.length === 1 ? (this.pieces[0] as Buffer) : Buffer.concat(this.pieces);
    this.resolve({ status: this.status, headers: new HttpHeaders(this.headers), body });
  }

  onError(error: Error): void {
    if (this.over) return;
    this.done();
    this.reject(failureOf(error));
  }
}

const isLoopback = (host: string): boolean => /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/i.test(host);
