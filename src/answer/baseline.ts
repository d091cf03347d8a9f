import { UsageError } from "../base/errors.js";
import { sha256 } from "../base/files.js";
import { type Letter, lettersOf, OPTION_LETTERS, type Row } from "../tasks/index.js";
import type { Answerer } from "./answerer.js";

/*
 * Answerers that read no question, to hold models against. Each is labelled as what it is.
 */

export const baselineNames = ["baseline:majority", "baseline:random", "baseline:longest"] as const;
export type BaselineName = (typeof baselineNames)[number];

export interface BaselineOptions {
  /** Seeds `baseline:random`. */
  readonly seed: number;
  /** What stands in front of each letter; nothing unless given. */
  readonly beforeAnswer?: string;
  /**
   * The rows whose most frequent answer `baseline:majority` gives, and what they are: the answers are those of a
   * training part where there is one.
   */
  readonly majorityOf: { readonly rows: Iterable<Pick<Row, "answer">>; readonly what: string };
}

/** @throws {UsageError} where there is no such baseline; the message lists them. */
export function baseline(name: string, options: BaselineOptions): Answerer {
  const answerer = answererWith(options.beforeAnswer ?? "");
  if (name === "baseline:majority") {
    const { letter, count, n } = majority(options.majorityOf.rows);
    const description =
      `always ${letter}, the most frequent answer of ${options.majorityOf.what} (${count.toLocaleString("en")} ` +
      `of ${n.toLocaleString("en")})`;
    return answerer(name, description, { letter }, () => letter);
  }
  if (name === "baseline:random") {
    return answerer(
      name,
      `a letter drawn for each row with seed ${options.seed}`,
      { seed: options.seed },
      (row, repeat) => randomLetter(options.seed, row, repeat),
    );
  }
  if (name === "baseline:longest") return answerer(name, "the longest choice, the first of equals", {}, longest);
  throw new UsageError(`there is no answerer "${name}"`, { hint: `Baselines: ${baselineNames.join(", ")}.` });
}

const answererWith =
  (before: string) =>
  (
    name: BaselineName,
    description: string,
    identity: Record<string, unknown>,
    answerTo: (row: Row, repeat: number) => Letter,
  ): Answerer => ({
    name,
    description: `${name}: ${description}; it reads no question`,
    identity: { kind: name, ...identity },
    requestsAtOnce: 64,
    async prepare() {},
    answer: async (requests) =>
      requests.map(({ rows, repeat = 0 }) => ({
        text: rows.map((row) => before + answerTo(row, repeat)).join("\n"),
      })),
    async close() {},
  });

function majority(rows: Iterable<Pick<Row, "answer">>): { letter: Letter; count: number; n: number } {
  const counts = new Map<Letter, number>();
  let n = 0;
  for (const { answer } of rows) {
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
    n++;
  }
  if (n === 0)
    throw new UsageError("baseline:majority needs rows whose answers it can count", {
      hint: "Take more rows (data.rowsPerLanguage, the length filter), or another baseline.",
    });
  const countOf = (letter: Letter): number => counts.get(letter) ?? 0;
  const letter = OPTION_LETTERS.reduce<Letter>((best, other) => (countOf(other) > countOf(best) ? other : best), "A");
  return { letter, count: countOf(letter), n };
}

/** From the seed and the row's id alone: the same in any order, at any concurrency. */
function randomLetter(seed: number, { id, choices }: Row, repeat: number): Letter {
  const letters = lettersOf(choices.length);
  return letters[parseInt(sha256(`${seed}/${id}${repeat ? `/${repeat}` : ""}`).slice(0, 8), 16) % letters.length]!;
}

const lengthOf = (text: string): number => [...text].length;

const longest = (row: Row): Letter =>
  OPTION_LETTERS[
    row.choices.reduce(
      (best, choice, index) => (lengthOf(choice) > lengthOf(row.choices[best] as string) ? index : best),
      0,
    )
  ] as Letter;
