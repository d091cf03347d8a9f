import { ApiError } from "./errors.js";

/** Counts the bytes of requests that are being worked on, and refuses what goes past a bound. */
export class ByteBudget {
  private taken = 0;
  private most = 0;

  constructor(readonly limit: number) {}

  /** Bytes held now. */
  get held(): number {
    return this.taken;
  }

  /** The most bytes that were ever held at once. */
  get peak(): number {
    return this.most;
  }

  /** A share that grows as bytes come. */
  share(): ByteShare {
    return new ByteShare(this);
  }

  /** @throws {ApiError} 429 where so many more cannot be held */
  requireRoom(bytes: number): void {
    if (this.taken + bytes <= this.limit) return;
    throw new ApiError(429, `requests of ${this.taken} bytes are being worked on already; try again later`, {
      code: "queue_full",
      retryAfterSeconds: 1,
    });
  }

  /** For {@link ByteShare}. */
  move(bytes: number): void {
    this.taken += bytes;
    this.most = Math.max(this.most, this.taken);
  }
}

/** The bytes of one request. */
export class ByteShare {
  private bytes = 0;

  constructor(private readonly budget: ByteBudget) {}

  /** @throws {ApiError} 429 where the budget has no room */
  add(bytes: number): void {
    this.budget.requireRoom(bytes);
    this.budget.move(bytes);
    this.bytes += bytes;
  }

  /** Gives all back; may be called again. */
  release(): void {
    this.budget.move(-this.bytes);
    this.bytes = 0;
  }
}
