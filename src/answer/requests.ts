import { hashOf } from "../base/canonical.js";
import { sha256 } from "../base/files.js";
import { lettersOf, type Row } from "../tasks/index.js";
import type { AnswerRequest, LettersAsked, MeasuredLetters } from "./answerer.js";
import { type FormatOptions, type PromptFormat, promptFormats } from "./formats/index.js";
import { type ChatMessage, type InstructionName, type RowTextName, rowTexts } from "./prompts.js";

/** How rows become requests. */
export interface RequestPlan {
  readonly questionsPerRequest: number;
  readonly prompt: (rows: readonly Row[]) => readonly ChatMessage[] | string;
  readonly maximumTokens: (questions: number) => number;
  /** Rows for which this differs are never asked in one request. */
  readonly apart?: (row: Row) => string;
  /** Whether the letters' probabilities are measured, and no text is asked for. */
  readonly letters?: (row: Row) => LettersAsked;
}

export interface PlanOptions extends FormatOptions {
  readonly format: PromptFormat;
  readonly questionsPerRequest: number;
  readonly maximumTokens: (questions: number) => number;
  /** What is measured; a text unless given. */
  readonly measures?: "text" | MeasuredLetters;
  /** The examples in front of some rows that are asked together: of one language and one subject. */
  readonly examplesOf?: (rows: readonly Row[]) => readonly Row[];
}

/** The plan of a prompt format. */
export function planOf({ format, measures = "text", examplesOf, ...options }: PlanOptions): RequestPlan {
  const native = options.instruction === "native" && format === promptFormats.questions;
  return {
    questionsPerRequest: options.questionsPerRequest,
    prompt: (rows) => format.write(rows, examplesOf?.(rows) ?? [], options),
    maximumTokens: measures === "text" ? options.maximumTokens : () => 1,
    apart: examplesOf
      ? ({ language, subject }) => JSON.stringify([language, subject])
      : native
        ? (row) => row.language
        : undefined,
    ...(measures === "text"
      ? {}
      : {
          letters: ({ choices }) => ({
            measured: measures,
            written: lettersOf(choices.length).map((letter) => `${format.beforeLetter}${letter}`),
          }),
        }),
  };
}

/**
 * §4: chats of so many questions; at most `maximumTokensPerQuestion` × questions + `maximumTokensExtra` tokens (2 and
 * 10 as published).
 */
export function gemma3Plan(options: {
  questionsPerRequest: number;
  instruction: InstructionName;
  maximumTokensPerQuestion: number;
  maximumTokensExtra: number;
}): RequestPlan {
  return planOf({
    format: promptFormats.questions,
    systemMessage: null,
    maximumTokens: (questions) => options.maximumTokensPerQuestion * questions + options.maximumTokensExtra,
    ...options,
  });
}

/** §2 and §3: the plain prompt of one row, to be gone on from with so many new tokens at most. */
export function promptPlan(text: RowTextName, maximumNewTokens: number): RequestPlan {
  return {
    questionsPerRequest: 1,
    prompt: ([row]) => rowTexts[text](row as Row),
    maximumTokens: () => maximumNewTokens,
  };
}

/**
 * The requests for some rows, in their order; always the same for the same rows, so that a run can go on. Holds one
 * request at a time (one per group, with `apart`).
 */
export function* requestsFor(rows: Iterable<Row>, plan: RequestPlan): Generator<AnswerRequest> {
  const groups = new Map<string, Row[]>();
  const request = (group: readonly Row[]): AnswerRequest => ({
    rows: group,
    prompt: plan.prompt(group),
    maximumTokens: plan.maximumTokens(group.length),
    ...(plan.letters ? { letters: plan.letters(group[0] as Row) } : {}),
  });
  for (const row of rows) {
    const name = plan.apart?.(row) ?? "";
    const group = groups.get(name) ?? [];
    group.push(row);
    if (group.length < plan.questionsPerRequest) groups.set(name, group);
    else {
      groups.delete(name);
      yield request(group);
    }
  }
  for (const group of groups.values()) yield request(group);
}

/**
 * Gives each request the key under which its reply is kept: the same only where rows, prompt, bounds and all of the
 * answerer's identity are the same.
 */
export function requestKeys(identity: Readonly<Record<string, unknown>>): (request: AnswerRequest) => string {
  const who = hashOf(identity);
  return ({ rows, prompt, maximumTokens, letters }) => {
    const said = typeof prompt === "string" ? prompt : prompt.map(({ role, content }) => [role, content]);
    return sha256(
      JSON.stringify([who, rows.map((row) => row.id), said, maximumTokens, ...(letters ? [letters] : [])]),
    ).slice(0, 32);
  };
}
