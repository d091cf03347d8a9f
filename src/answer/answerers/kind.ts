import type { Progress } from "../../base/progress.js";
import type { DeviceChoice } from "../../graph/index.js";
import type { Row } from "../../tasks/index.js";
import type { Answerer } from "../answerer.js";
import type { ChatServerOptions } from "../chat-server.js";

/** What a model on this machine may need besides. */
export interface LocalModelChoice {
  /** Commit, branch or tag on the hub. */
  readonly revision?: string | null;
  /** `auto` only before a device was chosen. */
  readonly device?: DeviceChoice | null;
  /** How linear layers are held; null as the model's folder tells, else not quantized. */
  readonly quantization?: "none" | "fp4" | "nf4" | "int8" | null;
  readonly doubleQuantization?: boolean;
  /** Path of a chat template instead of the model's own. */
  readonly chatTemplate?: string | null;
}

/** What a kind of answerer may need; each takes its own of it. */
export interface AnswererOptions extends ChatServerOptions, LocalModelChoice {
  /** The rows that may be learnt from, and those that will be asked; of a kind that is made of rows. */
  readonly rows?: { readonly train: readonly Pick<Row, "answer">[]; readonly test: readonly Pick<Row, "answer">[] };
  /** What a reply has in front of its letter, for those who write replies to no question. */
  readonly beforeAnswer?: string;
  /** Requests under way at once; for a model on this machine, in a batch. */
  readonly concurrency?: number;
  readonly offline?: boolean;
  readonly progress?: Progress;
  /** Aborting ends what `create` fetches or reads. */
  readonly signal?: AbortSignal;
  /** The model's folder where a run's folder is given. */
  readonly savedModelOf?: (source: string) => string;
}

/** What can be refused before any row is read. */
export type AnswererChoice = Pick<AnswererOptions, "model" | "logProbabilities" | "measures"> & LocalModelChoice;

/** A kind of answerer: a file here and a line in `index.ts`. */
export interface AnswererKind {
  /** How the names of its models begin, such as `baseline:`; null for the kind that takes all other names. */
  readonly prefix: string | null;
  /** What a model's name may be, in a sentence. */
  readonly names: string;
  /** Whether a name is of this kind, where more than its prefix tells. */
  readonly takes?: (model: string) => boolean;
  /** Whether it loads a model itself: only then `LocalModelChoice` says something. */
  readonly runsHere?: boolean;
  /** Whether its answerers are made of the rows: they are created once these are read, all others before. */
  readonly ofRows?: boolean;
  /** What is wrong with a choice, and of which option; undefined where nothing is. */
  problem(choice: AnswererChoice): { readonly option: keyof AnswererChoice; readonly why: string } | undefined;
  /** Reads and fetches what identifies it; loads nothing yet. @throws {UserError} where there is no such answerer */
  create(options: AnswererOptions): Promise<Answerer>;
}
