import type { AnswerRequest, Retry } from "../answer/index.js";
import { JsonLinesFile } from "../base/json-lines.js";
import { byNames } from "../base/named.js";

/** A line of `retries.jsonl`. */
export interface LoggedRetry extends Retry {
  readonly at: string;
  /** The rows whose request was made again. */
  readonly ids: readonly string[];
}

/** Reasons that are counted by name; further ones are counted together. */
const REASONS = 30;
const OTHERS = "other reasons";
/** Reasons that stand behind a progress bar. */
const SHOWN = 3;

/** Counts the attempts made again and logs each with its rows and the reason; the file is made with the first. */
export class RetryLog {
  readonly byReason = byNames<number>();
  /** For behind a progress bar: `3 retries (2 × status 500, 1 × connection cut)`; undefined while there are none. */
  note: string | undefined;
  private total = 0;
  private file: JsonLinesFile<LoggedRetry> | undefined;

  constructor(private readonly path?: string) {}

  add(request: AnswerRequest, retry: Retry): void {
    this.total++;
    const known = Object.hasOwn(this.byReason, retry.reason) || Object.keys(this.byReason).length < REASONS;
    const reason = known ? retry.reason : OTHERS;
    this.byReason[reason] = (this.byReason[reason] ?? 0) + 1;
    this.note = this.describe();
    if (this.path === undefined) return;
    this.file ??= new JsonLinesFile(this.path);
    this.file.append({ at: new Date().toISOString(), ids: request.rows.map((row) => row.id), ...retry });
  }

  private describe(): string {
    const reasons = Object.entries(this.byReason).sort(([, a], [, b]) => b - a);
    const shown = reasons.slice(0, SHOWN).map(([reason, count]) => `${count} × ${reason.slice(0, 60)}`);
    const more = reasons.length > SHOWN ? ", …" : "";
    return `${this.total} ${this.total === 1 ? "retry" : "retries"} (${shown.join(", ")}${more})`;
  }

  close(): void {
    this.file?.close();
  }
}
