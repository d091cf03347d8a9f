import { OPTION_LETTERS } from "../../tasks/index.js";
import type { Prediction } from "../prediction.js";
import { questionOfAnswer } from "../row-facts.js";
import { isCorrect } from "./cluster.js";
import { ratioParts } from "./design-effect.js";

export interface CalibrationBin {
  readonly low: number;
  readonly high: number;
  readonly n: number;
  /** Mean confidence and accuracy of the bin's rows; null where it has none. */
  readonly confidence: number | null;
  readonly accuracy: number | null;
}

export interface Calibration {
  readonly n: number;
  /** Expected calibration error over ten bins of equal width (Naeini et al. 2015). */
  readonly expectedCalibrationError: number;
  /**
   * What the error would be on average if the probabilities were right: it is never 0, and of few questions large. Each
   * bin's deviation taken as normal, with the cluster-robust variance of its rows by question, or that of independent
   * rows where it is larger.
   */
  readonly errorIfCalibrated: number;
  /** Brier score over the options' letters, 0 to 2. */
  readonly brier: number;
  readonly bins: readonly CalibrationBin[];
}

/** Probabilities of the letters alone, renormalized over them. */
function sharesOf(logs: readonly number[]): number[] {
  const highest = Math.max(...logs);
  const weights = logs.map((log) => Math.exp(log - highest));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / total);
}

/**
 * The probability of the predicted letter among the options' letters, 0 to 1.
 * @returns undefined where the letters have no probabilities, or none was read
 */
export function confidenceOf({
  prediction,
  logProbabilities,
}: Pick<Prediction, "prediction" | "logProbabilities">): number | undefined {
  if (prediction === null || !logProbabilities) return undefined;
  const share = sharesOf(logProbabilities)[OPTION_LETTERS.indexOf(prediction)];
  return Number.isNaN(share) ? undefined : share;
}

/**
 * How far the letters' probabilities (their log-probabilities, renormalized over the options) can be believed.
 * @returns undefined where no prediction has log-probabilities.
 */
export function calibration(predictions: readonly Prediction[], binCount = 10): Calibration | undefined {
  const bins = Array.from({ length: binCount }, () => ({
    n: 0,
    confidence: 0,
    correct: 0,
    variance: 0,
    questions: new Map<string, { n: number; sum: number }>(),
  }));
  let [n, brier] = [0, 0];
  for (const prediction of predictions) {
    const logs = prediction.logProbabilities;
    if (!logs || prediction.prediction === null) continue;
    const probabilities = sharesOf(logs);
    probabilities.forEach((probability, index) => {
      brier += (probability - (OPTION_LETTERS[index] === prediction.answer ? 1 : 0)) ** 2;
    });
    const confidence = probabilities[OPTION_LETTERS.indexOf(prediction.prediction)];
    if (confidence === undefined) continue;
    const bin = bins[Math.min(binCount - 1, Math.floor(confidence * binCount))] as (typeof bins)[number];
    bin.n++;
    bin.confidence += confidence;
    bin.correct += isCorrect(prediction) ? 1 : 0;
    bin.variance += confidence * (1 - confidence);
    const question = questionOfAnswer(prediction);
    const { n: rows, sum } = bin.questions.get(question) ?? { n: 0, sum: 0 };
    bin.questions.set(question, { n: rows + 1, sum: sum + Number(isCorrect(prediction)) - confidence });
    n++;
  }
  if (n === 0) return undefined;
  return {
    n,
    expectedCalibrationError: bins.reduce((sum, bin) => sum + Math.abs(bin.confidence - bin.correct), 0) / n,
    errorIfCalibrated:
      bins.reduce((sum, { variance, questions }) => {
        const robust = ratioParts([...questions.values()]).reduce((all, { residual }) => all + residual ** 2, 0);
        // The mean of a normal deviate's absolute value.
        return sum + Math.sqrt((2 / Math.PI) * Math.max(robust, variance));
      }, 0) / n,
    brier: brier / n,
    bins: bins.map((bin, index) => ({
      low: index / binCount,
      high: (index + 1) / binCount,
      n: bin.n,
      confidence: bin.n ? bin.confidence / bin.n : null,
      accuracy: bin.n ? bin.correct / bin.n : null,
    })),
  };
}
