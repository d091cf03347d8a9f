/** An error that its reader can act on: what is wrong, where, and what to do. Ends a run with exit code 1. */
export class UserError extends Error {
  readonly exitCode: number = 1;
  /** What to do about it, in a sentence; printed on a line of its own. */
  readonly hint?: string;

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(bounded(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.hint = options.hint && bounded(options.hint);
  }
}

/** Characters of a message at most: it may quote names of any length from a file or a server. */
const LONGEST = 4000;

const bounded = (text: string): string =>
  text.length > LONGEST ? `${text.slice(0, LONGEST / 2)} … ${text.slice(-LONGEST / 2)}` : text;

/** Wrong use of a command or a configuration (an unknown key, a bad flag). Exit code 2. */
export class UsageError extends UserError {
  override readonly exitCode = 2;
}

/**
 * @throws {UserError} where the signal was aborted (Ctrl-C): called between the steps of work that nothing else ends.
 */
export function checkStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted)
    throw new UserError("stopped", {
      hint: "What was fetched and written is kept: run the same command again.",
      cause: signal.reason,
    });
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
