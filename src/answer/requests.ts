import { hashOf } from "../base/canonical.js";
import { sha256 } from "../base/files.js";
import type { Row } from "../tasks/index.js";
import type { AnswerRequest } from "./answerer.js";
import { type ChatMessage, gemma3Messages, type InstructionName, type RowTextName, rowTexts } from "./prompts.js";

/** How rows become requests. */
export interface RequestPlan {
  readonly questionsPerRequest: number;
  readonly prompt: (rows: readonly Row[]) => readonly ChatMessage[] | string;
  readonly maximumTokens: (questions: number) => number;
  /** Rows for which this differs are never asked in one request. */
  readonly apart?: (row: Row) => string;
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
  return {
    questionsPerRequest: options.questionsPerRequest,
    prompt: (rows) => gemma3Messages(rows, options.instruction),
    maximumTokens: (questions) => options.maximumTokensPerQuestion * questions + options.maximumTokensExtra,
    apart: options.instruction === "native" ? (row) => row.language : undefined,
  };
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
  return ({ rows, prompt, maximumTokens }) => {
    const said = typeof prompt === "string" ? prompt : prompt.map(({ role, content }) => [role, content]);
    return sha256(JSON.stringify([who, rows.map((row) => row.id), said, maximumTokens])).slice(0, 32);
  };
}
