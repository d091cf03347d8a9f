import { ApiError } from "./errors.js";

/** Lets so many in at once, keeps so many waiting in order, and refuses the rest with status 429. */
export class BoundedQueue {
  private running = 0;
  private readonly waiting: { readonly start: () => void; readonly signal: AbortSignal }[] = [];
  /** How long the last ones took, for telling when to come again. */
  private meanSeconds = 1;

  constructor(
    private readonly atOnce: number,
    private readonly longest: number,
  ) {}

  /**
   * Runs `work` when it is its turn.
   * @param signal aborting takes it out of the queue
   * @throws {ApiError} 429 where the queue is full
   */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    this.requireRoom();
    if (this.running >= this.atOnce) await this.turn(signal);
    else this.running++;
    const started = performance.now();
    try {
      return await work();
    } finally {
      this.meanSeconds += 0.2 * ((performance.now() - started) / 1000 - this.meanSeconds);
      this.next();
    }
  }

  /** @throws {ApiError} 429 where one more could not wait: known before anything is read of it */
  requireRoom(): void {
    if (this.running < this.atOnce || this.waiting.length < this.longest) return;
    throw new ApiError(429, `${this.waiting.length} requests are waiting already; try again later`, {
      code: "queue_full",
      retryAfterSeconds: this.secondsToWait(),
    });
  }

  private secondsToWait(): number {
    return Math.max(1, Math.min(60, Math.ceil((this.meanSeconds * this.waiting.length) / this.atOnce)));
  }

  private turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const entry = { start: resolve, signal };
      this.waiting.push(entry);
      signal.addEventListener(
        "abort",
        () => {
          const at = this.waiting.indexOf(entry);
          if (at >= 0) this.waiting.splice(at, 1);
          reject(signal.reason);
        },
        { once: true },
      );
    });
  }

  private next(): void {
    const next = this.waiting.shift();
    // The place is handed on: the count of those running stays.
    if (next) next.start();
    else this.running--;
  }
}
