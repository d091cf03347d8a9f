import { writePiecesWhole, writeWhole } from "../base/files.js";
import { collectGarbage, collectingGarbage } from "../base/garbage.js";
import { type ParquetType, writeParquet } from "../data/index.js";
import {
  type Evaluation,
  type EvaluationMetrics,
  type EvaluationStatistics,
  evaluationMetrics,
  evaluationStatistics,
  type Interval,
  intervalOfTheWhole,
  type Prediction,
  questionClusters,
  writePredictions,
} from "../evaluate/index.js";
import type { ManifestParts, RunFolder } from "../record/index.js";
import {
  type Figure,
  loadReports,
  type ReportHead,
  type Section,
  standalone,
  type TrainingCurves,
} from "../report/index.js";
import type { Prepared } from "./prepare.js";
import type { Experiment } from "./presets/index.js";

/** One stage's answers with what is measured on them. */
export interface Stage {
  readonly stage: string;
  readonly metrics: EvaluationMetrics;
  readonly statistics: EvaluationStatistics;
  /**
   * In memory but for their replies, which are read from the log when they are asked for; read anew where nobody has
   * held them for a while.
   */
  readonly predictions: readonly Prediction[];
  /** With whole replies, read from the log each time they are gone through. */
  readonly whole: Iterable<Prediction>;
  /** That asking took in this sitting, where it is measured. */
  readonly seconds?: number;
}

/** A stage of an evaluation; its predictions are some 70 bytes a row while somebody holds them. */
export function stageOf(stage: string, evaluation: Pick<Evaluation, "predictions" | "replyOf">): Stage {
  /** A prediction whose reply lies on disk: a class, whose objects share one map of V8's. */
  class Kept {
    constructor(prediction: Omit<Prediction, "reply">) {
      Object.assign(this, prediction);
    }

    get reply(): string {
      return evaluation.replyOf((this as unknown as Prediction).id);
    }
  }
  const read = (): readonly Prediction[] => {
    const predictions: Prediction[] = [];
    for (const { reply: _onDisk, ...prediction } of collectingGarbage(evaluation.predictions))
      predictions.push(new Kept(prediction) as unknown as Prediction);
    return predictions;
  };
  const first = read();
  let held = new WeakRef(first);
  return {
    stage,
    metrics: evaluationMetrics(first),
    statistics: evaluationStatistics(first),
    get predictions() {
      const there = held.deref();
      if (there) return there;
      const again = read();
      held = new WeakRef(again);
      return again;
    },
    whole: evaluation.predictions,
  };
}

/**
 * What `metrics.json` says of a stage: the counts, and how sure they are.
 * @param ofQuestions how many questions there are of which some were drawn; undefined where all were asked
 */
export function stageMetrics(
  stage: Stage,
  ofQuestions?: number,
): EvaluationMetrics & { statistics: EvaluationStatistics; ofTheWhole?: Interval } {
  return {
    ...stage.metrics,
    statistics: stage.statistics,
    ...(ofQuestions === undefined
      ? {}
      : { ofTheWhole: intervalOfTheWhole(questionClusters(stage.predictions), ofQuestions) }),
  };
}

/** Writes predictions, figures and the report of a run with answers. */
export async function writeAnswers(
  folder: RunFolder,
  stages: readonly Stage[],
  prepared: Prepared,
  head: ReportHead,
  options: {
    splitKind?: string;
    training?: TrainingCurves;
    lengths?: readonly Figure[];
    further?: readonly Section[];
    /** Predictions that stand in the file alone, behind those of the stages. */
    furtherPredictions?: readonly Iterable<Prediction>[];
    experiment: Experiment | undefined;
  },
): Promise<string> {
  const { answersReport } = await loadReports();
  // Loading a plotting library leaves as much as it keeps.
  collectGarbage();
  // Parquet is what data frames read at once; the log is gone through once for both.
  await writeParquet(folder.file("predictions.parquet"), PREDICTION_COLUMNS, (add) =>
    writePredictions(folder.file("predictions.jsonl"), told(wholeOf(stages, options.furtherPredictions), add)),
  );
  collectGarbage();
  const comparable = prepared.corpus.kind !== "sample";
  const report = answersReport(head, {
    stages: stages.map((stage) => ({
      stage: stage.stage,
      statistics: stage.statistics,
      ofTheWhole: prepared.drawn && {
        interval: intervalOfTheWhole(questionClusters(stage.predictions), prepared.drawn.ofQuestions),
        questions: prepared.drawn.ofQuestions,
      },
      confusion: stage.metrics.confusion,
      published: comparable ? options.experiment?.accuracy[stage.stage] : undefined,
    })),
    predictions: { [Symbol.iterator]: () => wholeOf(stages) },
    rows: prepared.splits.test,
    audit: options.splitKind ? { kind: options.splitKind, audit: prepared.audit.test } : undefined,
    training: options.training,
    lengths: options.lengths,
    further: options.further,
  });
  collectGarbage();
  for (const figure of report.figures) writeWhole(folder.file("figures", `${figure.name}.svg`), standalone(figure));
  writePiecesWhole(folder.file("report.html"), report.pieces);
  return folder.file("report.html");
}

/** The columns of `predictions.parquet`. */
const PREDICTION_COLUMNS: Readonly<Record<string, ParquetType>> = {
  id: "STRING",
  language: "STRING",
  subject: "STRING",
  category: "STRING",
  question: "STRING",
  options: "INT32",
  answer: "STRING",
  prediction: "STRING",
  unreadable: "STRING",
  cut: "BOOLEAN",
  order: "INT32",
  repeat: "INT32",
  reply: "STRING",
  stage: "STRING",
  logProbabilities: "DOUBLE[]",
  letterLogit: "DOUBLE",
};

function* wholeOf(stages: readonly Stage[], further: readonly Iterable<Prediction>[] = []): Generator<Prediction> {
  for (const stage of stages) yield* collectingGarbage(stage.whole);
  for (const predictions of further) yield* collectingGarbage(predictions);
}

function* told<T>(values: Iterable<T>, tell: (value: T) => void): Generator<T> {
  for (const value of values) {
    tell(value);
    yield value;
  }
}

/** The note that every run on the sample carries. */
export const sampleNotes = (manifest: Pick<ManifestParts, "sample">): string[] =>
  manifest.sample ? ["The embedded sample: its figures mean nothing about MMMLU."] : [];
