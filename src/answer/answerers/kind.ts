import type { Row } from "../../tasks/index.js";
import type { Answerer } from "../answerer.js";
import type { ChatServerOptions } from "../chat-server.js";

/** What a kind of answerer may need; each takes its own of it. */
export interface AnswererOptions extends ChatServerOptions {
  /** The rows that may be learnt from, and those that will be asked. */
  readonly rows: { readonly train: readonly Pick<Row, "answer">[]; readonly test: readonly Pick<Row, "answer">[] };
}

/** What can be refused before any row is read. */
export type AnswererChoice = Pick<AnswererOptions, "model" | "logProbabilities">;

/** A kind of answerer: a file here and a line in `index.ts`. */
export interface AnswererKind {
  /** How the names of its models begin, such as `baseline:`; null for the kind that takes all other names. */
  readonly prefix: string | null;
  /** What a model's name may be, in a sentence. */
  readonly names: string;
  /** What is wrong with a choice, and of which option; undefined where nothing is. */
  problem(choice: AnswererChoice): { readonly option: keyof AnswererChoice; readonly why: string } | undefined;
  /** @throws {UserError} where there is no such answerer */
  create(options: AnswererOptions): Answerer;
}
