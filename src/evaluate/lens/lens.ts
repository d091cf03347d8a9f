import { UsageError } from "../../base/errors.js";
import { languageTag } from "../../tasks/index.js";
import type { ComparedRun } from "../statistics/comparison.js";
import { type Accuracy, accuracyOf } from "../statistics/index.js";
import { agreement, type PairAgreement, type RightIn, rightIn } from "./agreement.js";
import { type Gap, gaps, quarters } from "./gaps.js";
import { type DoubtfulKey, doubtfulKeys, type KeyDifference, keyDifferences } from "./keys.js";
import { REPLY_KINDS, type ReplyKind, replyKind } from "./reply-kinds.js";
import { type Suspects, suspectRows } from "./suspects.js";
import { type ParallelRun, type ParallelTable, parallelTable } from "./table.js";

/** What is known of rows besides their answers, by row id or by question. */
export interface LensLabels {
  /** Tokens of each row's text, and the share of them that the tokenizer does not know. */
  readonly tokens?: ReadonlyMap<
    string,
    { readonly count: number; readonly unknown: number; readonly perCharacter: number }
  >;
  /** Whose tokens they are. */
  readonly tokenizer?: string;
  /** Rows that say the same as another of their language. */
  readonly duplicates?: ReadonlySet<string>;
  /** MMLU-Redux: the kind of error of each question that has one. */
  readonly errors?: ReadonlyMap<string, string>;
  /** Global-MMLU: `CS` or `CA` (culturally sensitive or not) of each question that has a label. */
  readonly cultural?: ReadonlyMap<string, string>;
}

export interface LanguageReplies {
  readonly language: string;
  readonly n: number;
  readonly kinds: Readonly<Record<ReplyKind, number>>;
  /** Replies that ended at the limit of tokens, readable or not. */
  readonly cut: number;
}

/** What is said of one run. */
export interface RunLens {
  readonly name: string;
  readonly accuracies: readonly (Accuracy & { readonly language: string })[];
  readonly agreement: readonly (readonly PairAgreement[])[];
  readonly rightIn: RightIn;
  readonly gaps: readonly Gap[];
  readonly gapsByCategory: readonly Gap[];
  /** By quarters of the rows' length in tokens. */
  readonly gapsByLength?: readonly Gap[];
  /** By quarters of the share of unknown tokens, or, where the tokenizer knows all, of tokens a character. */
  readonly gapsByUnknown?: readonly Gap[];
  readonly gapsByCulture?: readonly Gap[];
  readonly replies: readonly LanguageReplies[];
  /** The headline figures on the clean rows alone. */
  readonly clean: {
    readonly accuracies: readonly (Accuracy & { readonly language: string })[];
    readonly gaps: readonly Gap[];
    readonly all: Accuracy;
  };
  readonly all: Accuracy;
}

/** What the same questions in several languages tell of runs, and of the questions. */
export interface Lens {
  readonly languages: readonly string[];
  readonly questions: number;
  readonly reference: string;
  /** How the reference was found. */
  readonly referenceWhy: string;
  readonly runs: readonly RunLens[];
  readonly suspects?: Suspects;
  readonly keyDifferences: readonly KeyDifference[];
  readonly doubtfulKeys: readonly DoubtfulKey[];
  /** Rows that are not clean, by why. */
  readonly unclean: Readonly<Record<string, number>>;
  /** `unknown tokens` or `tokens a character`. */
  readonly unknownBy?: string;
  readonly tokenizer?: string;
  readonly table: ParallelTable;
}

/** Looks at runs of several languages by what their rows translate. Memory: a few times the predictions. */
export function lensOf(
  runs: readonly ComparedRun[],
  { reference, falseAlarms, labels = {} }: { reference?: string; falseAlarms?: number; labels?: LensLabels } = {},
): Lens {
  const table = parallelTable(runs);
  const chosen = referenceOf(table, reference);
  const suspects = suspectRows(table, { falseAlarms });
  const differences = keyDifferences(table);
  const unclean = uncleanPlaces(table, suspects, differences, labels);
  const places = table.ids.map((id) => (id === undefined ? undefined : labels.tokens?.get(id)));
  const unknown = places.some((one) => one && one.unknown > 0);
  const values = (of: (one: NonNullable<(typeof places)[number]>) => number): Float64Array =>
    Float64Array.from(places, (one) => (one ? of(one) : Number.NaN));
  const byLength =
    labels.tokens &&
    quarters(
      table,
      values(({ count }) => count),
    );
  const byUnknown =
    labels.tokens &&
    quarters(
      table,
      values((one) => (unknown ? one.unknown : one.perCharacter)),
    );
  const { cultural } = labels;
  return {
    languages: table.languages,
    questions: table.questions.length,
    reference: chosen.language,
    referenceWhy: chosen.why,
    runs: table.runs.map((run) => {
      const gapsBy = (of: Parameters<typeof gaps>[3]): Gap[] => gaps(table, run, chosen.language, of);
      return {
        name: run.name,
        all: accuracyOf(cellsOf(run)),
        accuracies: accuraciesOf(table, run),
        agreement: agreement(table, run),
        rightIn: rightIn(table, run),
        gaps: gaps(table, run, chosen.language),
        gapsByCategory: gapsBy((q) => table.categories[q]),
        ...(byLength ? { gapsByLength: gapsBy(byLength) } : {}),
        ...(byUnknown ? { gapsByUnknown: gapsBy(byUnknown) } : {}),
        ...(cultural?.size ? { gapsByCulture: gapsBy((q) => cultural.get(table.questions[q]!)) } : {}),
        replies: repliesOf(table, run),
        clean: {
          all: accuracyOf(cellsOf(run, (place) => !unclean.has(place))),
          accuracies: accuraciesOf(table, run, (place) => !unclean.has(place)),
          gaps: gaps(table, run, chosen.language, undefined, (place) => !unclean.has(place)),
        },
      };
    }),
    suspects,
    keyDifferences: differences,
    doubtfulKeys: doubtfulKeys(table),
    unclean: countsOf(unclean),
    ...(labels.tokens
      ? { unknownBy: unknown ? "unknown tokens" : "tokens a character", tokenizer: labels.tokenizer }
      : {}),
    table,
  };
}

/** The language that was asked for; English where it is there; else the one with the highest accuracy. */
function referenceOf(
  { languages, questions, runs }: ParallelTable,
  asked: string | undefined,
): { language: string; why: string } {
  if (asked !== undefined) {
    const language =
      languages.find((one) => one === asked) ?? languages.find((one) => languageTag(one) === languageTag(asked));
    if (language === undefined)
      throw new UsageError(`the runs have no rows in ${asked}`, { hint: `They have ${languages.join(", ")}.` });
    return { language, why: "as asked for" };
  }
  const english = languages.find((one) => languageTag(one) === "en");
  if (english !== undefined) return { language: english, why: "English" };
  const scores = languages.map((_, l) => {
    let [n, right] = [0, 0];
    for (const run of runs)
      for (let q = 0; q < questions.length; q++) {
        const one = run.right[q * languages.length + l]!;
        if (one >= 0) n++;
        if (one === 1) right++;
      }
    return n ? right / n : 0;
  });
  const best = scores.indexOf(Math.max(...scores));
  return {
    language: languages[best]!,
    why:
      "the language with the highest accuracy here, which makes the gaps look a little larger: --reference names " +
      "another",
  };
}

const cellsOf = ({ cells }: ParallelRun, keep: (place: number) => boolean = () => true) =>
  cells.filter((one, place) => one !== undefined && keep(place)) as NonNullable<(typeof cells)[number]>[];

function accuraciesOf(
  { languages }: ParallelTable,
  run: ParallelRun,
  keep: (place: number) => boolean = () => true,
): RunLens["accuracies"] {
  return languages.map((language, l) => ({
    language,
    ...accuracyOf(cellsOf(run, (place) => place % languages.length === l && keep(place))),
  }));
}

function repliesOf({ languages }: ParallelTable, run: ParallelRun): LanguageReplies[] {
  return languages.map((language, l) => {
    const own = cellsOf(run, (place) => place % languages.length === l);
    const kinds = Object.fromEntries(REPLY_KINDS.map((kind) => [kind, 0])) as Record<ReplyKind, number>;
    for (const one of own) kinds[replyKind(one)]++;
    return { language, n: own.length, kinds, cut: own.filter(({ cut }) => cut).length };
  });
}

/** Places that are not clean, with why; a place may have several reasons. */
function uncleanPlaces(
  { languages, questions, ids }: ParallelTable,
  suspects: Suspects | undefined,
  differences: readonly KeyDifference[],
  labels: LensLabels,
): Map<number, string[]> {
  const size = languages.length;
  const found = new Map<number, string[]>();
  const mark = (place: number, why: string): void => {
    if (ids[place] !== undefined) found.set(place, [...(found.get(place) ?? []), why]);
  };
  for (const one of suspects?.list ?? []) if (one.flagged) mark(one.place, "suspect in one language");
  const at = new Map(questions.map((question, q) => [question, q]));
  const markQuestion = (question: string, why: string): void => {
    const q = at.get(question);
    if (q !== undefined) for (let l = 0; l < size; l++) mark(q * size + l, why);
  };
  for (const { question } of differences) markQuestion(question, "keys differ between languages");
  for (const question of labels.errors?.keys() ?? []) markQuestion(question, "an error by MMLU-Redux");
  if (labels.duplicates) ids.forEach((id, place) => id && labels.duplicates!.has(id) && mark(place, "a duplicate"));
  return found;
}

function countsOf(places: ReadonlyMap<number, readonly string[]>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const reasons of places.values()) for (const why of reasons) counts[why] = (counts[why] ?? 0) + 1;
  return counts;
}
