import { z } from "zod";
import type { RequestPlan } from "../answer/index.js";
import { UsageError } from "../base/errors.js";
import type { AskedAgain, Prediction } from "../evaluate/index.js";
import { type RunFolder, readRunFile } from "../record/index.js";

/** Replies' limits grow no further: what no model writes. */
const MOST_TOKENS = 1 << 20;

const roundSchema = z.looseObject({
  reason: z.literal("cut"),
  /** How many times the limit of tokens that the configuration says. */
  room: z.number().positive().max(1e6),
  ids: z.array(z.string().max(500)).min(1).max(10_000_000),
});
export type AgainRound = z.infer<typeof roundSchema>;

const FILE = "again.json";

/** The rounds in which rows of a run were asked again, in order. @throws {UserError} where the file is damaged */
export const readAgain = async (path: string): Promise<AgainRound[]> =>
  (await readRunFile(path, FILE, z.array(roundSchema).max(100))) ?? [];

/**
 * Adds a round with the rows whose reply ended at the limit of tokens, each with all rows of its request; nothing where
 * there are none.
 * @throws {UsageError} where the limit would be beyond all bounds
 */
export function addCutRound(
  folder: RunFolder,
  rounds: readonly AgainRound[],
  predictions: Iterable<Prediction>,
  plan: RequestPlan,
  factor: number,
): AgainRound[] {
  // A row that was asked several times is asked again each time.
  const ids = new Set<string>();
  for (const { id, cut } of predictions) if (cut) ids.add(id);
  if (ids.size === 0) return [...rounds];
  const room = (rounds.at(-1)?.room ?? 1) * factor;
  if (plan.maximumTokens(plan.questionsPerRequest) * room > MOST_TOKENS)
    throw new UsageError(`${room} times the room is more than ${MOST_TOKENS.toLocaleString("en")} tokens a reply`, {
      hint: "Give a smaller --room.",
    });
  const all: AgainRound[] = [...rounds, { reason: "cut", room, ids: [...ids] }];
  folder.writeJson(FILE, all);
  return all;
}

/** What is asked again in each round: the same rows together, with more room. */
export const askedAgain = (rounds: readonly AgainRound[], plan: RequestPlan): AskedAgain[] =>
  rounds.map(({ ids, room }) => ({
    ids: new Set(ids),
    plan: { ...plan, maximumTokens: (questions) => Math.ceil(plan.maximumTokens(questions) * room) },
  }));

/** What a manifest says of it. */
export const againNotes = (rounds: readonly AgainRound[]): string[] =>
  rounds.map(
    ({ ids, room }) =>
      `${ids.length.toLocaleString("en")} rows whose reply was cut at the limit were asked again with ${room} times ` +
      `the room (run --again cut): the figures are those of their later replies.`,
  );
