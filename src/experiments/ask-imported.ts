import { type AnswerRequest, type ChatMessage, protocols } from "../answer/index.js";
import { UsageError, UserError } from "../base/errors.js";
import type { AskedText, Explanation, Result } from "../exchange/index.js";
import type { Row } from "../tasks/index.js";
import {
  type AskAgainOptions,
  answererFor,
  drawn,
  type Exchanged,
  meanOf,
  outcomeOf,
  planOf,
  rightOf,
  sideOf,
} from "./ask-exchanged.js";
import type { RunContext } from "./context.js";

/**
 * Asks the answerer of our run again, with its own prompts (for the noise) and with those that another tool's file
 * tells. Whoever answered there cannot be asked: what is left, answerer and reading, is theirs. The three parts add up
 * to the rest.
 * @throws {UserError} where no deciding row has a prompt that can be asked, or our answerer cannot be asked
 */
export async function askImported(
  a: Result,
  b: Result,
  found: Explanation,
  context: RunContext,
  { rows: wanted, turned }: AskAgainOptions,
): Promise<Exchanged> {
  const [ours, theirs] = a.manifest ? [a, b] : [b, a];
  const side = sideOf(ours);
  const { measures } = protocols[side.configuration.answerer.protocol];
  const { plan, rows } = await planOf(side.configuration, context);
  const promptOf = (id: string): AnswerRequest["prompt"] | undefined => {
    const text = theirs.texts.get(id);
    return text?.turns ? chatOf(text.turns) : text?.prompt;
  };
  // The letters of a prompt with turned options are not those of our row.
  const askable = found.deciding.filter(
    (id) => promptOf(id) !== undefined && !turned.has(id) && (theirs.texts.get(id)?.together ?? 1) === 1,
  );
  if (askable.length === 0)
    throw new UserError(`no deciding row has a prompt of ${theirs.name} with its options in our order`, {
      hint: "Leave --ask out.",
    });
  const picked = drawn(askable, rows, wanted, ours.name);
  if (measures === "continuations" && picked.some(({ id }) => typeof promptOf(id) !== "string"))
    throw new UsageError(`${theirs.name} asked chats, behind which ${ours.name} measures no continuation`, {
      hint: "Leave --ask out, or explain a run of ours that asks chats (mmmlu run mmmlu-simple-evals).",
    });
  const answerer = await answererFor(side.configuration, picked, context);
  try {
    context.progress.begin(`asking ${ours.name} again`, 2 * picked.length);
    await answerer.prepare(context.signal);
    const own = await rightOf(answerer, side, plan, picked, context, 0);
    const other = await rightOf(answerer, side, plan, picked, context, picked.length, (row: Row) => promptOf(row.id)!);
    const sign = ours === a ? 1 : -1;
    const scale = found.deciding.length / found.common;
    const part = (title: string, of: (index: number, id: string) => number) => ({
      title,
      ...meanOf(
        picked.map(({ id }, index) => sign * of(index, id)),
        scale,
      ),
    });
    const flipped = picked.filter(({ id }, index) => own[index] !== outcomeOf(ours, id)).length;
    const left = found.deciding.length - askable.length;
    return {
      rows: picked.length,
      parts: [
        part("how it was asked", (index) => other[index]! - own[index]!),
        part("who was asked, and how it was read", (index, id) => outcomeOf(theirs, id) - other[index]!),
        part("what asking again changed (noise)", (index, id) => own[index]! - outcomeOf(ours, id)),
      ],
      said: [
        `of ${found.deciding.length.toLocaleString("en")} deciding rows ${picked.length} were drawn by lot; ` +
          `${ours.name} alone was asked, with the prompts of ${theirs.name} too`,
        `${flipped} of them came out otherwise when asked again as before: so much is noise, or what stood beside ` +
          "them in the request",
        ...(left ? [`${left.toLocaleString("en")} deciding rows have no prompt there that could be asked`] : []),
      ],
    };
  } finally {
    context.progress.end();
    await answerer.close();
  }
}

const ROLES: readonly string[] = ["system", "user", "assistant"];

/** Turns as a server takes them; undefined where others spoke too, such as tools. */
const chatOf = (turns: NonNullable<AskedText["turns"]>): readonly ChatMessage[] | undefined =>
  turns.every(({ role }) => ROLES.includes(role))
    ? turns.map(({ role, content }) => ({ role: role as ChatMessage["role"], content }))
    : undefined;
