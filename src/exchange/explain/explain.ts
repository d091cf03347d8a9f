import type { ReadingName } from "../../answer/index.js";
import { UserError } from "../../base/errors.js";
import {
  byQuestion,
  type Interval,
  isCorrect,
  type Prediction,
  pairedDifferenceInterval,
} from "../../evaluate/index.js";
import type { Result } from "../result.js";
import { type Alike, alikeIn } from "./alike.js";
import { type FactorDifference, factorsApart } from "./factors.js";
import { comparePrompts, type PromptsCompared } from "./prompts-apart.js";
import { rowsPart } from "./rows-part.js";
import { answersSeveral, readingOfBoth, type Steps, stepsOf } from "./steps.js";

/** The parts that a difference is taken apart into, in the order in which they are taken off. */
export const PARTS = ["rows", "answer key", "reading", "scoring", "truncation", "order of options", "rest"] as const;
export type PartName = (typeof PARTS)[number];

/** A part of the difference of two accuracies. */
export interface ExplainedPart {
  readonly name: PartName;
  /** What it is called: of the rest, by what differs. */
  readonly title: string;
  /** A share; all parts together are the whole difference. */
  readonly value: number;
  /** 95 %; undefined where nothing of the kind was found, and the part is exactly 0. */
  readonly interval?: Interval;
  /** Rows that it rests on. */
  readonly rows: number;
  readonly said: string;
}

export interface Explanation {
  readonly first: { readonly name: string; readonly tool: string; readonly accuracy: number; readonly n: number };
  readonly second: Explanation["first"];
  /** Accuracy of the second minus that of the first, each over all its own rows. */
  readonly difference: number;
  readonly common: number;
  readonly parts: readonly ExplainedPart[];
  readonly factors: readonly FactorDifference[];
  /** Prompts laid side by side, where those of both are known. */
  readonly prompts?: PromptsCompared;
  /** What the prompts tell, in sentences. */
  readonly told: readonly string[];
  /** What cannot be told apart, in sentences. */
  readonly untold: readonly string[];
  /** Rows of the rest that just one of both got right: what `--ask` asks again. */
  readonly deciding: readonly string[];
}

/**
 * Takes the difference of two results apart. On the rows that both have, each step changes one thing and keeps all
 * others: the keys, the reading (both read by one), how letters are scored (where a result has both), replies that were
 * cut, rows whose options stood in another order; what is left is due to whatever else differs. The steps are exact:
 * they add up to the whole difference.
 * @param options `reading`: by which both are read; `turned`: rows whose options stood in another order
 * @throws {UserError} where the results have no row in common
 */
export function explainDifference(
  a: Result,
  b: Result,
  options: { readonly reading?: ReadingName; readonly turned?: ReadonlySet<string>; readonly seed?: number } = {},
): Explanation {
  const { reading = readingOfBoth(a, b), turned = new Set(), seed = 42 } = options;
  const several = { one: answersSeveral(a), other: answersSeveral(b) };
  const others = new Map(b.predictions.map((one) => [one.id, one]));
  const pairs = a.predictions.flatMap((one) => {
    const other = others.get(one.id);
    return other ? [{ one, other }] : [];
  });
  if (pairs.length === 0)
    throw new UserError(`${a.name} and ${b.name} have no row in common`, {
      hint: "Explain results on the same questions: languages, subjects and rows tell which those are.",
    });
  const rows = pairs.map(({ one, other }) => stepsOf(one, other, reading, several, turned.has(one.id)));
  const prompts = comparePrompts(a, b);
  const alike = prompts && alikeIn(a, b, prompts.same);
  const factors = factorsApart(a, b, prompts, alike);
  const [accuracyA, accuracyB] = [accuracy(a.predictions), accuracy(b.predictions)];
  const difference = accuracyB - accuracyA;
  const part = (name: PartName, title: string, of: (row: Steps) => number, touched: (row: Steps) => boolean) => {
    const count = rows.filter(touched).length;
    const values = rows.map((row) => ({ id: row.id, question: row.question, value: of(row) }));
    const value = values.reduce((sum, one) => sum + one.value, 0) / rows.length;
    return { name, title, value, rows: count, ...(count ? { interval: intervalOf(values) } : {}) };
  };
  const number = (value: number): string => value.toLocaleString("en");
  const keys = part(
    "answer key",
    "answer key",
    ({ key }) => key,
    ({ keysApart }) => keysApart,
  );
  const read = part(
    "reading",
    "reading",
    (row) => row.reading,
    (row) => row.reading !== 0 || row.readApart,
  );
  const scored = part(
    "scoring",
    "scoring",
    ({ scoring }) => scoring,
    ({ bothScorings }) => bothScorings,
  );
  const cut = part(
    "truncation",
    "truncation",
    (row) => row.truncation,
    ({ cut }) => cut,
  );
  const order = part(
    "order of options",
    "order of options",
    (row) => row.order,
    (row) => row.turned,
  );
  const rest = part(
    "rest",
    titleOfRest(factors, scored.rows > 0),
    (row) => row.rest,
    (row) => row.rest !== 0,
  );
  const onlyRows = rowsPart(a, b, new Set(pairs.map(({ one }) => one.id)), seed);
  const deciding = rows.filter((row) => row.rest !== 0).map(({ id }) => id);
  return {
    first: { name: a.name, tool: a.tool, accuracy: accuracyA, n: a.predictions.length },
    second: { name: b.name, tool: b.tool, accuracy: accuracyB, n: b.predictions.length },
    difference,
    common: pairs.length,
    parts: [
      { ...onlyRows, said: `${number(onlyRows.rows)} rows that only one of both was asked` },
      { ...keys, said: keys.rows ? `${number(keys.rows)} rows have different keys` : "the keys are the same" },
      {
        ...read,
        said: read.rows
          ? `${number(read.rows)} rows are read otherwise than ${reading} reads them`
          : `both are read as ${reading} reads them`,
      },
      {
        ...scored,
        said: scored.rows
          ? `in ${number(scored.rows)} rows a reply and its letters' log-probabilities are both known`
          : "no result has both a reply and log-probabilities: it stands in the rest where scoring differs",
      },
      { ...cut, said: cut.rows ? `in ${number(cut.rows)} rows a reply was cut and has no letter` : "no reply was cut" },
      {
        ...order,
        said: order.rows
          ? `in ${number(order.rows)} rows the options stood in another order`
          : "the options stood in the same order, as far as it is known",
      },
      { ...rest, said: `${number(rest.rows)} rows that just one of both got right, all else being alike` },
    ],
    factors,
    ...(prompts ? { prompts } : {}),
    told: prompts ? toldBy(prompts, rows, alike) : [],
    untold: untoldOf(factors, scored.rows > 0, Boolean(a.manifest && b.manifest)),
    deciding,
  };
}

/** What the prompts tell of the whole: whether they carry anything, and in which rows they cannot. */
function toldBy({ compared, same }: PromptsCompared, rows: readonly Steps[], alike: Alike | undefined): string[] {
  const number = (value: number): string => value.toLocaleString("en");
  const all = compared === rows.length ? "" : `, spread over the ${number(rows.length)} that both have`;
  const ids = new Set(same);
  const rest = rows.reduce((sum, row) => sum + (ids.has(row.id) ? row.rest : 0), 0) / rows.length;
  const points = (100 * rest).toFixed(1).replace(/^-(0\.0)$/, "$1");
  return [
    `the prompts are the same in ${same.length === compared ? "all" : `${number(same.length)} of`} ` +
      `${number(compared)} rows that were laid side by side${all}` +
      `${same.length === compared ? ": the prompt carries nothing" : ""}`,
    ...(same.length > 0 && same.length < compared
      ? [`in those ${number(same.length)} rows lie ${points} points of the rest: they are not the prompt's`]
      : []),
    ...(alike
      ? [
          `where the prompts are the same, the letters' log-probabilities are at most ` +
            `${Number(alike.largest.toPrecision(2))} apart (${number(alike.rows)} rows): ` +
            (alike.same
              ? "one and the same model, whatever it is called"
              : "other weights, other precision, or other tokens around the prompt"),
        ]
      : []),
  ];
}

const accuracy = (rows: readonly Prediction[]): number =>
  rows.length ? rows.filter(isCorrect).length / rows.length : 0;

/** The interval of a mean of values from −2 to 2, clustered by question. */
function intervalOf(
  values: readonly { readonly id: string; readonly question: string; readonly value: number }[],
): Interval {
  const clusters = [...byQuestion(values).values()].map((group) => ({
    n: group.length,
    difference: group.reduce((sum, { value }) => sum + value, 0),
  }));
  const sum = (of: (value: number) => number): number => values.reduce((all, { value }) => all + of(value), 0);
  return pairedDifferenceInterval(
    clusters,
    sum((value) => Math.max(0, -value)),
    sum((value) => Math.max(0, value)),
  );
}

/** The rest by what differs; where nothing does, it is noise. */
function titleOfRest(factors: readonly FactorDifference[], scoringApart: boolean): string {
  const names = namesOf(factors, scoringApart);
  return names.length ? names.join(", ") : "sampling and noise";
}

/** Factors that the rest may be due to; scoring not where it was taken off. */
const namesOf = (factors: readonly FactorDifference[], scoringApart: boolean): string[] =>
  [...new Set(factors.map(({ factor }) => factor as string))].filter(
    (factor) => factor !== "limit of tokens" && !(scoringApart && factor === "scoring"),
  );

function untoldOf(factors: readonly FactorDifference[], scoringApart: boolean, ours: boolean): string[] {
  const names = namesOf(factors, scoringApart);
  return [
    ...(names.length > 1
      ? [
          `${names.join(", ")} differ together: from these two results alone nobody can tell how much of the rest is ` +
            `due to which${ours ? " (--ask asks the deciding rows again under exchanged settings)" : ""}`,
        ]
      : []),
    "noise is in every part: its size is what the intervals say",
  ];
}
