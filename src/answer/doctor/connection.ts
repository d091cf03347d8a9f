import { parseServerAddress, withoutCredentials } from "../../base/addresses.js";
import { wordsOfBody } from "../../base/error-words.js";
import { HttpClient } from "../../base/http.js";
import { HttpFailure, type HttpFailureKind } from "../../base/http-failure.js";
import { printableName } from "../../base/printable.js";
import { withoutTrailing } from "../../base/trim.js";
import { DEFAULT_API_KEY } from "../chat-server.js";

/** Bytes of a reply that is looked at: echoes with log-probabilities are long. */
const LARGEST_REPLY = 32 << 20;

/** What came back: the JSON of a success, or the status and the server's own words. */
export interface Answered {
  readonly status: number;
  /** Undefined where it is no JSON, or there was no reply at all. */
  readonly body?: unknown;
  readonly words: string;
  readonly milliseconds: number;
  /** Why there was no reply at all; `unasked` where the time for all questions was over. */
  readonly failure?: HttpFailureKind | "unasked";
}

/** Times that a request's time all questions together take at most. */
const PATIENCE = 5;

/** Replies that did not come in time, after which nothing more is asked. */
const LATE = 3;

/** Asks a server plainly: nothing is tried again, what went wrong is told. */
export class Connection {
  /** Without credentials, ending in `/v1` mostly. */
  readonly address: string;
  private readonly client: HttpClient;
  private readonly headers: readonly string[];
  /** Requests made so far. */
  asked = 0;
  private readonly began = performance.now();
  private late = 0;

  constructor(
    endpoint: string,
    private readonly timeoutSeconds: number,
    private readonly signal?: AbortSignal,
    environment: NodeJS.ProcessEnv = process.env,
  ) {
    const { address, authorization } = parseServerAddress(endpoint, "the endpoint");
    this.address = withoutCredentials(withoutTrailing(address, "/"));
    this.base = withoutTrailing(address, "/");
    const key = environment["LMSTUDIO_API_KEY"]?.trim();
    this.client = new HttpClient(environment);
    this.headers = [
      ...["authorization", key ? `Bearer ${key}` : (authorization ?? `Bearer ${DEFAULT_API_KEY}`)],
      ...["content-type", "application/json", "accept", "application/json"],
    ];
    signal?.addEventListener("abort", () => this.client.abortAll(), { once: true });
  }

  private base: string;

  /** Takes `/v1` behind the address, or not. */
  useVersion(version = true): void {
    this.base = `${withoutTrailing(this.base, "/v1")}${version ? "/v1" : ""}`;
  }

  /** Why nothing more is asked: the server is too slow to be examined; undefined while it is. */
  get stopped(): string | undefined {
    if (this.late >= LATE) return `${LATE} replies did not come within ${this.timeoutSeconds} s`;
    const seconds = PATIENCE * this.timeoutSeconds;
    return performance.now() - this.began > 1000 * seconds ? `${seconds} s for all questions were over` : undefined;
  }

  /** @param path behind the base URL; with a slash in front, behind the server's root */
  async ask(path: string, body?: object): Promise<Answered> {
    this.signal?.throwIfAborted();
    const url = path.startsWith("/") ? new URL(path, this.base).href : `${this.base}/${path}`;
    const { stopped } = this;
    if (stopped) return { status: 0, words: `not asked: ${stopped}`, milliseconds: 0, failure: "unasked" };
    const began = performance.now();
    this.asked++;
    try {
      const reply = await this.client.ask({
        method: body ? "POST" : "GET",
        url,
        headers: this.headers,
        body: body && JSON.stringify(body),
        timeoutMilliseconds: 1000 * this.timeoutSeconds,
        maximumBytes: LARGEST_REPLY,
      });
      const milliseconds = performance.now() - began;
      let json: unknown;
      try {
        json = JSON.parse(reply.body.toString("utf8"));
      } catch {
        json = undefined;
      }
      const good = reply.status >= 200 && reply.status < 300;
      const said = wordsOfBody(reply.body);
      const words = good
        ? json === undefined
          ? pageInWords(reply.body)
          : ""
        : printableName(`status ${reply.status}${said ? `: ${said}` : ""}`, 300);
      return { status: reply.status, ...(good ? { body: json } : {}), words, milliseconds };
    } catch (error) {
      this.signal?.throwIfAborted();
      const words = printableName(withoutCredentials(error instanceof Error ? error.message : String(error)), 300);
      const failure = error instanceof HttpFailure ? error.kind : undefined;
      if (failure === "timeout") this.late++;
      return { status: 0, words, milliseconds: performance.now() - began, ...(failure ? { failure } : {}) };
    }
  }

  close(): Promise<void> {
    return this.client.close();
  }
}

/** What a success is that is no JSON. */
function pageInWords(body: Buffer): string {
  const text = body.toString("utf8", 0, 4096).trim();
  if (text === "") return "an empty reply";
  if (/^(data|event|id|retry):/.test(text)) return "a stream of events, though none was asked for";
  return printableName(`no JSON but ${/^</.test(text) ? "a page" : "a text"}: ${wordsOfBody(body) ?? ""}`, 300);
}
