import type { ComparedRun, Prediction } from "../evaluate/index.js";
import { type Manifest, type ProtocolFacts, protocolOf } from "../record/index.js";
import type { PromptTurn } from "./prompt-turns.js";

/** How a letter comes out of a model. */
export const SCORINGS = ["log-likelihood", "first token", "generated"] as const;
export type Scoring = (typeof SCORINGS)[number];

/** What is known of how a result came about; undefined where nobody says. */
export interface ResultFacts {
  readonly model?: string;
  readonly scoring?: Scoring;
  /** Examples in front of a question. */
  readonly shots?: number;
  readonly temperature?: number;
  /** Tokens of a reply at most. */
  readonly maxTokens?: number;
  /** How a reply is read as a letter, in the tool's words. */
  readonly reading?: string;
  /** Whether a chat template was put around the prompt. */
  readonly chat?: boolean;
  readonly seed?: number;
  /** Requests under way at once, or in a batch. */
  readonly concurrency?: number;
}

/** What a row asked, as far as a file tells it. */
export interface AskedText {
  readonly question?: string;
  readonly choices?: readonly string[];
  /** Everything that the model read, as far as the file tells it; a chat as one text. */
  readonly prompt?: string;
  /** Of a chat. */
  readonly turns?: readonly PromptTurn[];
  /** Questions that the same request asked; 1 unless given. */
  readonly together?: number;
}

/** A result of one model, of whatever tool: what is compared, explained and exported. */
export interface Result extends ComparedRun {
  /** Where it was read from. */
  readonly path: string;
  /** Such as `mmmlu-lab 0.2.0`, `lm-evaluation-harness 0.4.13`. */
  readonly tool: string;
  readonly facts: ResultFacts;
  /** By row id; of our own runs empty until their rows are read. */
  readonly texts: ReadonlyMap<string, AskedText>;
  /** The accuracy that the tool itself reported over these rows. */
  readonly reported?: number;
  /** Of our own runs. */
  readonly manifest?: Manifest;
  /** What a reader of its figures must know: rows without a verdict, repeated ones. */
  readonly notes: readonly string[];
}

/** The rows of another tool that do not say which question of which language they are: their ids begin so. */
export const UNKNOWN_PLACE = "text:";

/** Whether a row is known by its text alone. */
export const isKnownByText = ({ id }: Pick<Prediction, "id">): boolean => id.startsWith(UNKNOWN_PLACE);

/** How a result asked and read, in the words that our own runs say it in; undefined where nobody says. */
export function protocolOfResult({ manifest, tool, facts }: Pick<Result, "manifest" | "tool" | "facts">) {
  if (manifest) return protocolOf(manifest);
  return {
    name: tool.replace(/ [\d.]+\S*$/, ""),
    prompt: "its own",
    instruction: null,
    systemMessage: null,
    template: null,
    questionsPerRequest: 1,
    shots: facts.shots ?? 0,
    shotSource: null,
    shotLanguage: null,
    temperature: facts.temperature ?? null,
    maxTokens: facts.maxTokens ?? null,
    answerExtraction: facts.scoring === "log-likelihood" ? "the likeliest letter" : (facts.reading ?? "its own"),
    permutations: 1,
    repeats: 1,
  } satisfies ProtocolFacts;
}
