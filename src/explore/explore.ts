import { checkStopped } from "../base/errors.js";
import { byNames } from "../base/named.js";
import { type Progress, silent } from "../base/progress.js";
import type { Corpus } from "../data/index.js";
import { shuffledOrder } from "../split/index.js";
import { lettersOfRows, type Row } from "../tasks/index.js";
import { countTokens, type Tokenizer } from "../tokens/index.js";
import { type Duplicates, findDuplicates } from "./duplicates.js";
import { type KeyDifference, keyDifferences } from "./key-differences.js";
import { type LengthHistogram, lengthHistogram, publishedLengthHistogram, type Summary, summarize } from "./summary.js";

export interface ExplorationOptions {
  readonly tokenizer: Tokenizer;
  /** The text of question and choices whose tokens are counted. */
  readonly textOf: (row: Row) => string;
  /** Tokenizers besides, whose unknown-token share and tokens per character are told by language. */
  readonly further?: readonly Tokenizer[];
  /** Numbers of tokens without special tokens, in another way than {@link countTokens}: from those that were kept. */
  readonly count?: typeof countTokens;
  readonly progress?: Progress;
  /** Aborting ends the counting. */
  readonly signal?: AbortSignal;
}

/** What one tokenizer makes of one language. */
export interface TokenizerByLanguage {
  readonly tokenizer: string;
  readonly language: string;
  readonly tokensPerCharacter: number;
  /** Share of tokens that stand for what the vocabulary cannot write; null where that cannot happen (byte-level). */
  readonly unknownShare: number | null;
}

/** What an exploration finds: `metrics.json` of EDA. */
export interface Exploration {
  readonly rows: number;
  readonly languages: Readonly<Record<string, number>>;
  readonly columns: readonly string[];
  readonly nulls: Readonly<Record<string, number>>;
  readonly answers: Readonly<Record<string, number>>;
  readonly subjects: Readonly<Record<string, number>>;
  readonly answersBySubject: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly subjectsByLanguage: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly questionTokens: Summary;
  readonly questionAndChoicesTokens: Summary;
  /** Share of rows whose question and choices have at most 256 tokens: the published experiments' bound. */
  readonly shareAtMost256: number;
  readonly tokensByLanguage: Readonly<Record<string, Summary>>;
  readonly tokenizers: readonly TokenizerByLanguage[];
  readonly keyDifferences: readonly KeyDifference[];
  readonly duplicates: Duplicates;
  readonly cleanedSubjects: Readonly<Record<string, number>>;
  /** Rows by subject as the files have it; the published exploration counted these. */
  readonly subjectsAsStored: Readonly<Record<string, number>>;
  /** The first rows after the published exploration's shuffle. */
  readonly firstRows: readonly Row[];
  readonly histograms: readonly LengthHistogram[];
}

/** The seed with which the published exploration shuffles all rows before it shows the first. */
const SHUFFLE_SEED = 42;

/** Explores a corpus: counts, distributions, token lengths, keys and duplicates. */
export async function explore(corpus: Corpus, options: ExplorationOptions): Promise<Exploration> {
  const { rows } = corpus;
  const { progress = silent, count = countTokens } = options;
  const tell = (before: number, what: string) => (done: number) => {
    checkStopped(options.signal);
    progress.update(before + done, what);
  };
  progress.begin("counting tokens", 2 * rows.length);
  const questions = await count(
    options.tokenizer,
    rows.map((row) => row.question),
    tell(0, "questions"),
  );
  const texts = rows.map(options.textOf);
  const whole = await count(options.tokenizer, texts, tell(rows.length, "questions and choices"));
  progress.end();
  const tokenizers = [byLanguage(options.tokenizer, rows, texts, whole, await unknowns(options.tokenizer, texts))];
  for (const further of options.further ?? []) {
    const counts = await count(further, texts);
    tokenizers.push(byLanguage(further, rows, texts, counts, await unknowns(further, texts)));
  }
  return {
    rows: rows.length,
    languages: tally(rows, (row) => row.language),
    columns: corpus.columns,
    nulls: corpus.nulls,
    answers: letters(rows),
    subjects: sorted(tally(rows, (row) => row.subject)),
    answersBySubject: sorted(nested(rows, (row) => row.subject, letters)),
    subjectsByLanguage: nested(
      rows,
      (row) => row.language,
      (some) => sorted(tally(some, (row) => row.subject)),
    ),
    questionTokens: summarize(questions),
    questionAndChoicesTokens: summarize(whole),
    shareAtMost256: whole.filter((count) => count <= 256).length / rows.length,
    tokensByLanguage: Object.fromEntries(
      [...indicesBy(rows, (row) => row.language)].map(([language, indices]) => [
        language,
        summarize(indices.map((index) => whole[index] as number)),
      ]),
    ),
    tokenizers: tokenizers.flat(),
    keyDifferences: keyDifferences(rows),
    duplicates: findDuplicates(rows),
    cleanedSubjects: corpus.cleanedSubjects,
    subjectsAsStored: sorted({ ...corpus.storedSubjects }),
    firstRows: Array.from(shuffledOrder(rows.length, SHUFFLE_SEED).subarray(0, 5), (at) => rows[at] as Row),
    histograms: [lengthHistogram("question", questions), publishedLengthHistogram("question-and-choices", whole)],
  };
}

/** Unknown tokens of each text; undefined where the tokenizer can write everything. */
async function unknowns(tokenizer: Tokenizer, texts: readonly string[]): Promise<Int32Array | undefined> {
  const unknown = tokenizer.unknownId;
  if (unknown === undefined) return undefined;
  const counts = new Int32Array(texts.length);
  const name = tokenizer.tokenOf(unknown) as string;
  // Where bytes stand for what no token has, only a text that spells the unknown token out holds it.
  const all = [...texts.keys()];
  const places = tokenizer.writesAllBytes ? all.filter((place) => texts[place]!.includes(name)) : all;
  for (let start = 0; start < places.length; start += 1024) {
    const some = places.slice(start, start + 1024);
    const encoded = await tokenizer.encodeAll(
      some.map((place) => texts[place]!),
      false,
    );
    encoded.forEach((ids, index) => (counts[some[index]!] = ids.filter((id) => id === unknown).length));
  }
  return counts;
}

function byLanguage(
  tokenizer: Tokenizer,
  rows: readonly Row[],
  texts: readonly string[],
  counts: Int32Array,
  unknown: Int32Array | undefined,
): TokenizerByLanguage[] {
  return [...indicesBy(rows, (row) => row.language)].map(([language, indices]) => {
    const sum = (of: (index: number) => number): number => indices.reduce((total, index) => total + of(index), 0);
    const tokens = sum((index) => counts[index] as number);
    return {
      tokenizer: tokenizer.source,
      language,
      // Characters are code points: a sign outside the BMP is one.
      tokensPerCharacter: tokens / sum((index) => codePoints(texts[index] as string)),
      unknownShare: unknown ? sum((index) => unknown[index] as number) / tokens : null,
    };
  });
}

function codePoints(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xd800) count--;
  return count;
}

function indicesBy(rows: readonly Row[], key: (row: Row) => string): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  rows.forEach((row, index) => {
    const list = groups.get(key(row));
    if (list) list.push(index);
    else groups.set(key(row), [index]);
  });
  return groups;
}

function nested<T>(
  rows: readonly Row[],
  key: (row: Row) => string,
  of: (some: readonly Row[]) => T,
): Record<string, T> {
  return Object.fromEntries(
    [...indicesBy(rows, key)].map(([name, indices]) => [name, of(indices.map((index) => rows[index] as Row))]),
  );
}

function tally(rows: readonly Row[], key: (row: Row) => string): Record<string, number> {
  const counts = byNames<number>();
  for (const row of rows) counts[key(row)] = (counts[key(row)] ?? 0) + 1;
  return counts;
}

const letters = (rows: readonly Row[]): Record<string, number> => {
  const counts = tally(rows, (row) => row.answer);
  return Object.fromEntries(lettersOfRows(rows).map((letter) => [letter, counts[letter] ?? 0]));
};

const sorted = <T>(record: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
