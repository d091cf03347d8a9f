/** How a finding is to be taken. */
export type Verdict = "good" | "note" | "bad" | "unknown";

/** What one look at a server found. */
export interface Finding {
  /** Such as `chat template`. */
  readonly about: string;
  readonly verdict: Verdict;
  /** In a sentence, with what was seen. */
  readonly said: string;
  /** What to do about it, where there is something to do. */
  readonly hint?: string;
}
