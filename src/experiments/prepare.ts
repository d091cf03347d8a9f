import { rowTexts } from "../answer/index.js";
import { checkStopped, UsageError } from "../base/errors.js";
import { type Corpus, loadCorpus } from "../data/index.js";
import type { QuestionText } from "../report/index.js";
import {
  auditLeak,
  type DrawnQuestions,
  drawQuestions,
  hashOfSplits,
  idsOf,
  type LeakAudit,
  type SplitSettings,
  type Splits,
  splitRows,
  splitTwoSources,
} from "../split/index.js";
import { lettersOfRows, type Row } from "../tasks/index.js";
import { type Filtered, filterByLength, loadTokenizer, type Tokenizer } from "../tokens/index.js";
import type { EvaluateConfiguration, ExperimentConfiguration, FinetuneConfiguration } from "./configuration/schema.js";
import type { RunContext } from "./context.js";
import { finetuneProtocolOf, presets } from "./presets/index.js";
import { SAMPLE, sampleTokenizerFolder } from "./sample.js";

/** Rows as an experiment uses them: filtered, split, audited. */
export interface Prepared {
  /** Where the test rows come from, and all others unless there is a {@link trainCorpus}. */
  readonly corpus: Corpus;
  readonly trainCorpus?: Corpus;
  /** The letters of the widest question. */
  readonly letters: readonly string[];
  readonly tokenizer: Tokenizer & { readonly revision?: string };
  readonly filtered: Filtered;
  readonly splits: Splits;
  /** Where only some of the test rows' questions are asked: how many, of how many. */
  readonly drawn?: Omit<DrawnQuestions, "rows"> & { readonly rows: number; readonly sha256OfSplits: string };
  readonly audit: LeakAudit;
}

/** Loads rows of an experiment. */
export const loadRows = (
  data: Omit<ExperimentConfiguration["data"], "trainFrom" | "limit">,
  context: RunContext,
): Promise<Corpus> =>
  loadCorpus({
    ...data,
    offline: context.offline,
    progress: context.progress,
    signal: context.signal,
    environment: context.environment,
  });

/** Loads an experiment's tokenizer; `sample` names the one made on the spot, which knows the letters. */
export async function loadExperimentTokenizer(
  configuration: ExperimentConfiguration,
  context: RunContext,
  letters: readonly string[],
): Promise<Tokenizer & { readonly revision?: string }> {
  const { source, revision } = configuration.tokenizer;
  const kind = configuration.kind === "finetune" ? finetuneProtocolOf(configuration).sampleModel : "t5";
  const sample = source === SAMPLE;
  return loadTokenizer({
    source: sample ? await sampleTokenizerFolder(kind, letters) : source,
    name: sample ? "the sample's own" : undefined,
    revision,
    offline: context.offline,
    progress: context.progress,
    signal: context.signal,
    environment: context.environment,
  });
}

/** From configuration to audited splits: each experiment's own text, tokenizer and bound. */
export async function prepare(
  configuration: FinetuneConfiguration | EvaluateConfiguration,
  context: RunContext,
): Promise<Prepared> {
  const { trainFrom, limit, ...data } = configuration.data;
  const corpus = await loadRows(data, context);
  const trainCorpus = trainFrom ? await loadRows(trainFrom, context) : undefined;
  const rows = trainCorpus ? [...corpus.rows, ...trainCorpus.rows] : corpus.rows;
  const letters = lettersOfRows(rows);
  const tokenizer = await loadExperimentTokenizer(configuration, context, letters);
  const { filter, split } = configuration;
  let filtered: Filtered = { rows: [...rows], counts: new Int32Array(0), byLanguage: {} };
  if (filter) {
    const lengths = {
      maximumTokens: filter.maxTokens,
      inclusive: filter.inclusive,
      specialTokens: filter.addSpecialTokens,
    };
    context.progress.begin("counting tokens", rows.length);
    filtered = await filterByLength(rows, rowTexts[filter.text], tokenizer, lengths, (done) => {
      checkStopped(context.signal);
      context.progress.update(done);
    });
    const kept = Object.entries(filtered.byLanguage).map(
      ([language, { before, kept }]) => `${language} ${kept.toLocaleString("en")} of ${before.toLocaleString("en")}`,
    );
    context.progress.end(
      `kept ${filtered.rows.length.toLocaleString("en")} rows ${filter.inclusive ? "of at most" : "under"} ` +
        `${filter.maxTokens} tokens (${kept.join(", ")})`,
    );
  }
  const whole = split
    ? splitOf(filtered.rows, corpus, trainCorpus, split)
    : { train: [], validation: [], test: filtered.rows };
  const { splits, drawn } = limit === null ? { splits: whole } : limited(whole, limit);
  if (drawn)
    context.progress.say(
      `drawn: ${drawn.questions.toLocaleString("en")} of ${drawn.ofQuestions.toLocaleString("en")} questions of the ` +
        `test rows, ${drawn.rows.toLocaleString("en")} rows`,
    );
  return { corpus, trainCorpus, letters, tokenizer, filtered, splits, drawn, audit: auditLeak(splits) };
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
  prepared: Pick<Prepared, "corpus" | "tokenizer"> & Partial<Prepared>,
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
    tokenizer: {
      source: tokenizer.source,
      revision: tokenizer.revision ?? null,
      sha256: tokenizer.sha256,
      vocabulary: tokenizer.vocabularySize,
    },
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

export const splitIds = (splits: Splits): ReturnType<typeof idsOf> => idsOf(splits);

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
    ["Tokenizer", `${tokenizer.source}, ${number(tokenizer.vocabularySize)} tokens`],
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

/** Texts of the test rows, for the report's table. */
export const textsOf = (rows: readonly Row[]): Record<string, QuestionText> =>
  Object.fromEntries(rows.map((row) => [row.id, [row.question, ...row.choices] as const]));
