import { UserError } from "../../base/errors.js";
import type { Prediction } from "../prediction.js";
import { questionOfAnswer } from "../row-facts.js";
import { FEW_QUESTIONS } from "./accuracy.js";
import { type PairedCluster, pairedBootstrap } from "./bootstrap.js";
import { byQuestion, isCorrect } from "./cluster.js";
import type { Interval } from "./interval.js";
import { holm, mcnemarExact } from "./mcnemar.js";
import { clusteredMcnemarExact, pairedDifferenceInterval } from "./paired.js";
import { type EvaluationStatistics, evaluationStatistics } from "./registry.js";

/** Answers of one run to be compared with others'. */
export interface ComparedRun {
  readonly name: string;
  readonly predictions: readonly Prediction[];
}

/** The second run against the first, on the same rows. */
export interface PairedComparison {
  readonly first: string;
  readonly second: string;
  /** Accuracy of the second minus that of the first. */
  readonly difference: number;
  /** 95 % interval of the difference, clustered by question; {@link pairedDifferenceInterval}. The one to show. */
  readonly interval: Interval;
  /** The same by {@link pairedBootstrap}: too narrow where few questions changed. */
  readonly bootstrapInterval: Interval;
  readonly bothRight: number;
  readonly onlyFirst: number;
  readonly onlySecond: number;
  readonly bothWrong: number;
  /** McNemar's exact test, rows taken as independent. */
  readonly pValue: number;
  /** Its counterpart with the question as the unit. */
  readonly clusteredPValue: number;
  /** {@link pValue} and {@link clusteredPValue} after Holm's correction across the pairs of runs. */
  readonly adjustedPValue: number;
  readonly adjustedClusteredPValue: number;
  readonly subjects: readonly SubjectChange[];
}

export interface SubjectChange {
  readonly subject: string;
  /** Rows, and different questions among them. */
  readonly n: number;
  readonly questions: number;
  /** Whether there are fewer than {@link FEW_QUESTIONS}. */
  readonly fewQuestions: boolean;
  readonly firstAccuracy: number;
  readonly secondAccuracy: number;
  readonly difference: number;
  /** 95 % interval of the difference, clustered by question; {@link pairedDifferenceInterval}. */
  readonly interval: Interval;
  /** McNemar's exact test, rows taken as independent. */
  readonly pValue: number;
  /** Its counterpart with the question as the unit. */
  readonly clusteredPValue: number;
  /** {@link pValue} and {@link clusteredPValue} after Holm's correction across subjects. */
  readonly adjustedPValue: number;
  readonly adjustedClusteredPValue: number;
  /** Whether the adjusted p-value with the question as the unit is under 0.05 and the interval leaves out 0. */
  readonly moved: boolean;
}

export interface Comparison {
  /** Rows that all runs answered. */
  readonly rows: number;
  readonly questions: number;
  readonly runs: readonly {
    readonly name: string;
    readonly answered: number;
    readonly leftOut: number;
    readonly statistics: EvaluationStatistics;
  }[];
  readonly pairs: readonly PairedComparison[];
  readonly seed: number;
}

/**
 * Compares runs on the rows that all of them answered, each pair of them.
 * @throws {UserError} where there are fewer than two runs, no common rows, a run answers a row twice, or the runs
 * disagree on a
 *   row's true answer.
 */
export function compareRuns(
  runs: readonly ComparedRun[],
  options: { seed?: number; resamples?: number } = {},
): Comparison {
  const { seed = 42, resamples } = options;
  if (runs.length < 2)
    throw new UserError("a comparison needs two runs or more", {
      hint: "Name another run, or two stages of one: FOLDER:baseline FOLDER:final.",
    });
  const tables = runs.map((run) => new Map(run.predictions.map((prediction) => [prediction.id, prediction])));
  runs.forEach(({ name, predictions }, index) => {
    if (tables[index]!.size === predictions.length) return;
    const seen = new Set<string>();
    const twice = predictions.find(({ id }) => seen.size === seen.add(id).size);
    throw new UserError(`${name} answers ${twice?.id} more than once`, {
      hint: "Compare one stage of a run: FOLDER:baseline or FOLDER:final.",
    });
  });
  const [firstTable, ...others] = tables as [Map<string, Prediction>, ...Map<string, Prediction>[]];
  const common = [...firstTable.keys()].filter((id) => others.every((table) => table.has(id)));
  if (common.length === 0) {
    throw new UserError(`the runs ${runs.map((run) => run.name).join(", ")} have no row in common`, {
      hint:
        "Compare runs on the same data, languages and split: splits.json in each run's folder says which rows " +
        "it answered.",
    });
  }
  for (const id of common) {
    const other = others.findIndex((table) => table.get(id)?.answer !== firstTable.get(id)?.answer);
    if (other >= 0)
      throw new UserError(
        `${runs[0]?.name} and ${runs[other + 1]?.name} disagree on the true answer of ${id}: they ran on ` +
          `different data`,
        { hint: "Compare runs of the same data and revision: manifest.json in each run's folder tells them." },
      );
  }
  const pick = (table: Map<string, Prediction>): Prediction[] => common.map((id) => table.get(id) as Prediction);
  const answers = tables.map(pick);
  const pairs: Unadjusted[] = [];
  for (let i = 0; i < runs.length; i++) {
    for (let j = i + 1; j < runs.length; j++) {
      const [a, b] = [runs[i] as ComparedRun, runs[j] as ComparedRun];
      pairs.push(
        comparePair(a.name, b.name, answers[i] as Prediction[], answers[j] as Prediction[], { seed, resamples }),
      );
    }
  }
  const adjusted = holm(pairs.map((pair) => pair.pValue));
  const adjustedClustered = holm(pairs.map((pair) => pair.clusteredPValue));
  return {
    rows: common.length,
    questions: new Set(answers[0]!.map(questionOfAnswer)).size,
    runs: runs.map((run, index) => ({
      name: run.name,
      answered: run.predictions.length,
      leftOut: run.predictions.length - common.length,
      statistics: evaluationStatistics(answers[index] as Prediction[]),
    })),
    pairs: pairs.map((pair, index) => ({
      ...pair,
      adjustedPValue: adjusted[index] as number,
      adjustedClusteredPValue: adjustedClustered[index] as number,
    })),
    seed,
  };
}

type Unadjusted = Omit<PairedComparison, "adjustedPValue" | "adjustedClusteredPValue">;

function comparePair(
  first: string,
  second: string,
  a: readonly Prediction[],
  b: readonly Prediction[],
  options: { seed: number; resamples?: number },
): Unadjusted {
  const pairs = a.map((one, index) => ({
    id: one.id,
    question: one.question,
    subject: one.subject,
    first: isCorrect(one),
    second: isCorrect(b[index] as Prediction),
  }));
  const clusters = clustersOf(pairs);
  const counts = table(pairs);
  return {
    first,
    second,
    difference: (counts.onlySecond - counts.onlyFirst) / pairs.length,
    interval: pairedDifferenceInterval(clusters, counts.onlyFirst, counts.onlySecond),
    bootstrapInterval: pairedBootstrap(clusters, options),
    ...counts,
    pValue: mcnemarExact(counts.onlyFirst, counts.onlySecond),
    clusteredPValue: clusteredMcnemarExact(clusters.map(({ difference }) => difference)),
    subjects: subjectChanges(pairs),
  };
}

type Pair = { id: string; question?: string; subject: string; first: boolean; second: boolean };

const clustersOf = (pairs: readonly Pair[]): PairedCluster[] =>
  [...byQuestion(pairs).values()].map((group) => ({
    n: group.length,
    difference: group.reduce((sum, pair) => sum + Number(pair.second) - Number(pair.first), 0),
  }));

function table(pairs: readonly Pair[]): {
  bothRight: number;
  onlyFirst: number;
  onlySecond: number;
  bothWrong: number;
} {
  const counts = { bothRight: 0, onlyFirst: 0, onlySecond: 0, bothWrong: 0 };
  for (const pair of pairs)
    counts[pair.first ? (pair.second ? "bothRight" : "onlyFirst") : pair.second ? "onlySecond" : "bothWrong"]++;
  return counts;
}

function subjectChanges(pairs: readonly Pair[]): SubjectChange[] {
  const groups = new Map<string, Pair[]>();
  for (const pair of pairs) {
    const group = groups.get(pair.subject);
    if (group) group.push(pair);
    else groups.set(pair.subject, [pair]);
  }
  const changes = [...groups].map(([subject, rows]) => {
    const counts = table(rows);
    const clusters = clustersOf(rows);
    return {
      subject,
      n: rows.length,
      questions: clusters.length,
      fewQuestions: clusters.length < FEW_QUESTIONS,
      firstAccuracy: (counts.bothRight + counts.onlyFirst) / rows.length,
      secondAccuracy: (counts.bothRight + counts.onlySecond) / rows.length,
      difference: (counts.onlySecond - counts.onlyFirst) / rows.length,
      interval: pairedDifferenceInterval(clusters, counts.onlyFirst, counts.onlySecond),
      pValue: mcnemarExact(counts.onlyFirst, counts.onlySecond),
      clusteredPValue: clusteredMcnemarExact(clusters.map(({ difference }) => difference)),
    };
  });
  const adjusted = holm(changes.map((change) => change.pValue));
  const adjustedClustered = holm(changes.map((change) => change.clusteredPValue));
  return changes
    .map((change, index) => ({
      ...change,
      adjustedPValue: adjusted[index] as number,
      adjustedClusteredPValue: adjustedClustered[index] as number,
      moved: (adjustedClustered[index] as number) < 0.05 && (change.interval[0] > 0 || change.interval[1] < 0),
    }))
    .sort(
      (x, y) =>
        x.adjustedClusteredPValue - y.adjustedClusteredPValue ||
        Math.abs(y.difference) - Math.abs(x.difference) ||
        (x.subject < y.subject ? -1 : 1),
    );
}
