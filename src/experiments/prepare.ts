import { rowTexts } from "../answer/index.js";
import { checkStopped, UsageError } from "../base/errors.js";
import { type Corpus, type CorpusOptions, loadCorpus } from "../data/index.js";
import {
  auditLeak,
  type DrawnQuestions,
  drawQuestions,
  hashOfSplits,
  type LeakAudit,
  type SplitSettings,
  type Splits,
  splitRows,
  splitTwoSources,
} from "../split/index.js";
import { lettersOfRows, type Row } from "../tasks/index.js";
import {
  type Filtered,
  filterByCounts,
  findTokenizer,
  keptTokenCounts,
  type LoadedTokenizer,
  type TokenizerFiles,
} from "../tokens/index.js";
import type { EvaluateConfiguration, ExperimentConfiguration, FinetuneConfiguration } from "./configuration/schema.js";
import type { RunContext } from "./context.js";
import { finetuneProtocolOf, presets } from "./presets/index.js";
import { SAMPLE, sampleTokenizerFolder } from "./sample.js";

/** Rows as an experiment uses them: filtered, split, audited. */
export interface Prepared {
  /** Where the test rows come from, and all others unless there is a {@link trainCorpus}. */
  readonly corpus: Corpus;
  readonly trainCorpus?: Corpus;
  /** The letters of the widest question: goes through all rows when it is first asked. */
  readonly letters: () => readonly string[];
  /** By which tokens were counted; undefined where nothing counts any, and then none is asked for. */
  readonly tokenizer?: CountingTokenizer;
  /** The experiment's tokenizer itself, loaded where it is first asked for. */
  readonly loadTokenizer: () => Promise<LoadedTokenizer>;
  readonly filtered: Filtered;
  readonly splits: Splits;
  /** Where only some of the test rows' questions are asked: how many, of how many. */
  readonly drawn?: Omit<DrawnQuestions, "rows"> & { readonly rows: number; readonly sha256OfSplits: string };
  readonly audit: LeakAudit;
}

/** What is told of a tokenizer. */
export interface CountingTokenizer {
  readonly source: string;
  readonly revision?: string;
  readonly sha256: string;
  readonly vocabularySize: number;
}

/** Loads rows of an experiment. */
export const loadRows = (
  data: Omit<ExperimentConfiguration["data"], "trainFrom" | "limit">,
  context: RunContext,
  texts?: CorpusOptions["texts"],
): Promise<Corpus> =>
  loadCorpus({
    ...data,
    texts,
    offline: context.offline,
    progress: context.progress,
    signal: context.signal,
    environment: context.environment,
  });

/** Finds an experiment's tokenizer; `sample` names the one made on the spot, which knows the letters. */
export async function findExperimentTokenizer(
  configuration: ExperimentConfiguration,
  context: RunContext,
  letters: () => readonly string[],
): Promise<TokenizerFiles> {
  const { source, revision } = configuration.tokenizer;
  const kind = configuration.kind === "finetune" ? finetuneProtocolOf(configuration).sampleModel : "t5";
  const sample = source === SAMPLE;
  return findTokenizer({
    source: sample ? await sampleTokenizerFolder(kind, letters()) : source,
    name: sample ? "the sample's own" : undefined,
    revision,
    offline: context.offline,
    progress: context.progress,
    signal: context.signal,
    environment: context.environment,
  });
}

/**
 * From configuration to audited splits: each experiment's own text, tokenizer and bound. The tokenizer is asked for
 * where there is a length filter, and loaded where these rows' tokens were not counted before.
 */
export async function prepare(
  configuration: FinetuneConfiguration | EvaluateConfiguration,
  context: RunContext,
): Promise<Prepared> {
  const { trainFrom, limit, ...data } = configuration.data;
  // Who is asked reads one row after another; what trains goes through all of them again and again.
  const texts = configuration.kind === "evaluate" ? "on disk" : "in memory";
  const corpus = await loadRows(data, context, texts);
  const trainCorpus = trainFrom ? await loadRows(trainFrom, context, texts) : undefined;
  const rows = trainCorpus ? [...corpus.rows, ...trainCorpus.rows] : corpus.rows;
  let known: readonly string[] | undefined;
  const letters = (): readonly string[] => (known ??= lettersOfRows(rows));
  const { filter, split } = configuration;
  let files: Promise<TokenizerFiles> | undefined;
  const found = (): Promise<TokenizerFiles> => (files ??= findExperimentTokenizer(configuration, context, letters));
  const { filtered, tokenizer }: Pick<Prepared, "filtered" | "tokenizer"> = filter
    ? await filterRows(rows, filter, await found(), context)
    : { filtered: { rows: [...rows], counts: new Int32Array(0), byLanguage: {} } };
  const whole = split
    ? splitOf(filtered.rows, corpus, trainCorpus, split)
    : { train: [], validation: [], test: filtered.rows };
  const { splits, drawn } = limit === null ? { splits: whole } : limited(whole, limit);
  if (drawn)
    context.progress.say(
      `drawn: ${drawn.questions.toLocaleString("en")} of ${drawn.ofQuestions.toLocaleString("en")} questions of the ` +
        `test rows, ${drawn.rows.toLocaleString("en")} rows`,
    );
  const loadTokenizer = async (): Promise<LoadedTokenizer> => (await found()).load();
  const audit = auditLeak(splits);
  return { corpus, trainCorpus, letters, tokenizer, loadTokenizer, filtered, splits, drawn, audit };
}

async function filterRows(
  rows: readonly Row[],
  { text, maxTokens, inclusive, addSpecialTokens }: NonNullable<EvaluateConfiguration["filter"]>,
  tokenizer: TokenizerFiles,
  { progress, signal, environment }: RunContext,
): Promise<{ readonly filtered: Filtered; readonly tokenizer: CountingTokenizer }> {
  progress.begin("counting tokens", rows.length);
  const textOf = rowTexts[text];
  const { counts, vocabularySize, kept } = await keptTokenCounts(
    tokenizer,
    { length: rows.length, at: (index) => textOf(rows[index]!) },
    {
      specialTokens: addSpecialTokens,
      environment,
      told: (done) => {
        checkStopped(signal);
        progress.update(done);
      },
    },
  );
  const filtered = filterByCounts(rows, counts, { maximumTokens: maxTokens, inclusive });
  const byLanguage = Object.entries(filtered.byLanguage).map(
    ([language, { before, kept }]) => `${language} ${kept.toLocaleString("en")} of ${before.toLocaleString("en")}`,
  );
  progress.end(
    `kept ${filtered.rows.length.toLocaleString("en")} rows ${inclusive ? "of at most" : "under"} ` +
      `${maxTokens} tokens (${byLanguage.join(", ")})${kept ? ", as counted before" : ""}`,
  );
  const { source, revision } = tokenizer;
  return { filtered, tokenizer: { source, revision, sha256: await tokenizer.sha256(), vocabularySize } };
}

/** Splits whose test part is drawn questions only. */
function limited(whole: Splits, limit: number): Required<Pick<Prepared, "splits" | "drawn">> {
  const { rows: test, ...counts } = drawQuestions(whole.test, limit);
  return {
    splits: { ...whole, test },
    drawn: { ...counts, rows: test.length, sha256OfSplits: hashOfSplits(whole) },
  };
}

function splitOf(
  rows: readonly Row[],
  corpus: Corpus,
  trainCorpus: Corpus | undefined,
  settings: SplitSettings,
): Splits {
  if (!trainCorpus) return splitRows(rows, settings);
  const tested = new Set(corpus.rows);
  return splitTwoSources(
    rows.filter((row) => !tested.has(row)),
    rows.filter((row) => tested.has(row)),
    settings,
  );
}

/** A preset that has rows to split. @throws {UsageError} for an exploration */
export function withSplit(configuration: ExperimentConfiguration): FinetuneConfiguration | EvaluateConfiguration {
  if (configuration.kind === "explore")
    throw new UsageError(`${configuration.name} is an exploration: it splits nothing`, {
      hint: `Experiments with a split: ${presets
        .filter(({ kind }) => kind !== "explore")
        .map(({ name }) => name)
        .join(", ")}.`,
    });
  return configuration;
}

/** What a manifest says of where rows came from. */
const sourceOf = (corpus: Corpus) => ({
  source: corpus.source,
  kind: corpus.kind,
  task: corpus.task.name,
  revision: corpus.revision ?? null,
  files: corpus.files,
  rows: corpus.rows.length,
  cleanedSubjects: corpus.cleanedSubjects,
});

/** What a manifest says of data, tokenizer and split. */
export function manifestOf(
  prepared: Pick<Prepared, "corpus"> & Partial<Prepared>,
  split?: { kind: string; shape: string; seed: number } | null,
) {
  const { corpus, trainCorpus, tokenizer, splits, filtered, drawn } = prepared;
  return {
    data: {
      ...sourceOf(corpus),
      rowsKept: filtered?.rows.length ?? corpus.rows.length,
      ...(filtered
        ? {
            rowsKeptByLanguage: Object.fromEntries(
              Object.entries(filtered.byLanguage).map(([language, { kept }]) => [language, kept]),
            ),
          }
        : {}),
      ...(trainCorpus ? { trainFrom: sourceOf(trainCorpus) } : {}),
    },
    ...(tokenizer
      ? {
          tokenizer: {
            source: tokenizer.source,
            revision: tokenizer.revision ?? null,
            sha256: tokenizer.sha256,
            vocabulary: tokenizer.vocabularySize,
          },
        }
      : {}),
    ...(splits && split
      ? {
          split: {
            ...split,
            sha256: drawn?.sha256OfSplits ?? hashOfSplits(splits),
            train: splits.train.length,
            validation: splits.validation.length,
            test: splits.test.length,
            ...(drawn ? { drawn: withoutHash(drawn) } : {}),
          },
        }
      : {}),
    sample: corpus.kind === "sample" || trainCorpus?.kind === "sample",
  };
}

/** What is told of a draw: the hash of the whole stands elsewhere. */
export const withoutHash = ({
  sha256OfSplits: _hash,
  ...counts
}: NonNullable<Prepared["drawn"]>): Omit<NonNullable<Prepared["drawn"]>, "sha256OfSplits"> => counts;

/** The leak audit as `metrics.json` has it: where there are no train rows all test rows are clean, and none is named. */
export const auditOf = ({ audit, splits }: Prepared): Omit<LeakAudit, "cleanTestIds"> =>
  splits.train.length > 0
    ? audit
    : { test: audit.test, validation: audit.validation, testByLanguage: audit.testByLanguage };

/** Facts about data and filter, for the head of a report. */
export function factsOf({ corpus, trainCorpus, tokenizer, filtered, splits, drawn }: Prepared): [string, string][] {
  const number = (value: number): string => value.toLocaleString("en");
  const cleaned = Object.values(corpus.cleanedSubjects).reduce((a, b) => a + b, 0);
  return [
    ["Data", dataLine(corpus)],
    ...(trainCorpus ? ([["Train and validation rows from", dataLine(trainCorpus)]] as [string, string][]) : []),
    [
      "Rows",
      `${number(corpus.rows.length + (trainCorpus?.rows.length ?? 0))} read, ${number(filtered.rows.length)} ` +
        `after the length filter`,
    ],
    ...(cleaned ? ([["Subjects cleaned of file names", number(cleaned)]] as [string, string][]) : []),
    ...(tokenizer
      ? ([["Tokenizer", `${tokenizer.source}, ${number(tokenizer.vocabularySize)} tokens`]] as [string, string][])
      : []),
    [
      "Split",
      `${number(splits.train.length)} train, ${number(splits.validation.length)} validation, ` +
        `${number(splits.test.length)} test`,
    ],
    ...(drawn
      ? ([
          [
            "Questions drawn",
            `${number(drawn.questions)} of ${number(drawn.ofQuestions)}, by subject in proportion (data.limit)`,
          ],
        ] as [string, string][])
      : []),
  ];
}

const dataLine = ({ source, revision, languages }: Corpus): string =>
  `${source}${revision ? ` at ${revision.slice(0, 12)}` : ""}, ${languages.join(", ")}`;
