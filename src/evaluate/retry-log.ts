import type { AnswerRequest, Retry } from "../answer/index.js";
import { JsonLinesFile } from "../base/json-lines.js";

/** A line of `retries.jsonl`. */
export interface LoggedRetry extends Retry {
  readonly at: string;
  /** The rows whose request was made again. */
  readonly ids: readonly string[];
}

/** Counts the attempts made again and logs each with its rows and the reason; the file is made with the first. */
export class RetryLog {
  readonly byReason: Record<string, number> = {};
  /** For behind a progress bar: `3 retries (2 × status 500, 1 × connection cut)`; undefined while there are none. */
  note: string | undefined;
  #file: JsonLinesFile<LoggedRetry> | undefined;

  constructor(private readonly path?: string) {}

  add(request: AnswerRequest, retry: Retry): void {
    this.byReason[retry.reason] = (this.byReason[retry.reason] ?? 0) + 1;
    this.note = this.#describe();
    if (this.path === undefined) return;
    this.#file ??= new JsonLinesFile(this.path);
    this.#file.append({ at: new Date().toISOString(), ids: request.rows.map((row) => row.id), ...retry });
  }

  #describe(): string {
    const reasons = Object.entries(this.byReason);
    const total = reasons.reduce((sum, [, count]) => sum + count, 0);
    return `${total} ${total === 1 ? "retry" : "retries"} (${reasons.map(([reason, count]) => `${count} × ${reason}`).join(", ")})`;
  }

  close(): void {
    this.#file?.close();
  }
}
