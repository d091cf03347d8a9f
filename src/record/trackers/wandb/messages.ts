import type { Items, RunIdentity } from "./records.js";

/** What the tracker tells the thread that sends. */
export type ToSender =
  | { readonly type: "history"; readonly line: string }
  | { readonly type: "events"; readonly line: string }
  | { readonly type: "output"; readonly line: string }
  | { readonly type: "summary"; readonly values: Items }
  | { readonly type: "finish"; readonly exitCode: number };

/** What it hears back. */
export type FromSender =
  | { readonly type: "started"; readonly entity: string; readonly project: string; readonly url: string }
  /** Sending has failed for good; what was logged is in the offline folder. */
  | { readonly type: "failed"; readonly why: string }
  | { readonly type: "stopped" }
  | { readonly type: "finished" };

export interface SenderStart {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly run: RunIdentity;
  readonly configuration: Items;
  /** How often what has gathered is sent. */
  readonly intervalSeconds: number;
  /** One request may take so long. */
  readonly timeoutSeconds: number;
  /** How long trouble may last before sending is given up. */
  readonly patienceSeconds: number;
}
