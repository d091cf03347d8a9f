import type { Progress } from "../../base/progress.js";
import type { DeviceFailure, DeviceName } from "../../graph/index.js";
import type { ChatMessage } from "../prompts.js";
import type { ScoredPrompt, TextEnd, TextRequest, TextToken } from "./engine.js";

/** What a worker thread loads. */
export interface EngineSource {
  /** A model's or an adapter's folder, or a hub id. */
  readonly source: string;
  readonly revision?: string | null;
  readonly offline?: boolean;
  readonly device: DeviceName;
  /**
   * How linear layers are held; unless given, as when the adapter was trained where its folder tells that, else `none`.
   */
  readonly quantization?: "none" | "fp4" | "nf4" | "int8";
  readonly doubleQuantization?: boolean;
  /** Requests generated in one batch. */
  readonly requestsAtOnce?: number;
  /** An adapter's base instead of the one that it names. */
  readonly base?: string;
  /** Path of a chat template instead of the model's own. */
  readonly chatTemplate?: string | null;
}

/** To the worker. */
export type ToEngine =
  | { readonly kind: "tokenize"; readonly call: number; readonly prompt: string | readonly ChatMessage[] }
  | { readonly kind: "generate"; readonly call: number; readonly request: TextRequest }
  | { readonly kind: "score"; readonly call: number; readonly request: TextRequest }
  | {
      readonly kind: "likelihoods";
      readonly call: number;
      readonly context: string;
      readonly continuations: readonly string[];
    }
  | { readonly kind: "abort"; readonly call: number }
  | { readonly kind: "close" };

/** An error that crosses threads. */
export interface PlainError {
  readonly message: string;
  readonly hint?: string;
  /** Whether its reader can act on it (`UserError`). */
  readonly user: boolean;
  /** What went wrong with the device (`DeviceFailure`). */
  readonly failure?: DeviceFailure["kind"];
}

/** A call of {@link Progress}, as it crosses threads. */
export type ToldProgress = {
  [Name in keyof Progress]: { readonly name: Name; readonly given: Parameters<Progress[Name]> };
}[keyof Progress];

/** From the worker. */
export type FromEngine =
  | {
      readonly kind: "ready";
      readonly longestSequence?: number;
      readonly requestsAtOnce: number;
      readonly longestToken: number;
      readonly scores: boolean;
      readonly description: string;
    }
  | { readonly kind: "failed"; readonly error: PlainError }
  | { readonly kind: "progress"; readonly told: ToldProgress }
  | { readonly kind: "tokens"; readonly call: number; readonly tokens: readonly number[] }
  | { readonly kind: "scored"; readonly call: number; readonly scored: ScoredPrompt }
  | { readonly kind: "likelihoods"; readonly call: number; readonly values: readonly number[] }
  | { readonly kind: "token"; readonly call: number; readonly token: TextToken }
  | { readonly kind: "end"; readonly call: number; readonly end: TextEnd }
  | { readonly kind: "error"; readonly call: number; readonly error: PlainError };
