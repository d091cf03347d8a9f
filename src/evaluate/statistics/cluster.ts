import type { Prediction } from "../prediction.js";
import { questionOfAnswer } from "../row-facts.js";
import type { Cluster } from "./interval.js";

/** Predictions by question: the one partition that feeds every clustered estimate. */
export function byQuestion<P extends Pick<Prediction, "id" | "question">>(predictions: readonly P[]): Map<string, P[]> {
  const groups = new Map<string, P[]>();
  for (const prediction of predictions) {
    const question = questionOfAnswer(prediction);
    const group = groups.get(question);
    if (group) group.push(prediction);
    else groups.set(question, [prediction]);
  }
  return groups;
}

export const isCorrect = (prediction: Pick<Prediction, "answer" | "prediction">): boolean =>
  prediction.prediction === prediction.answer;

/** One {@link Cluster} a question, in the order of their first answers. */
export function questionClusters(predictions: Iterable<Prediction>): Cluster[] {
  const clusters = new Map<string, { n: number; correct: number }>();
  for (const prediction of predictions) {
    const question = questionOfAnswer(prediction);
    let cluster = clusters.get(question);
    if (!cluster) clusters.set(question, (cluster = { n: 0, correct: 0 }));
    cluster.n++;
    if (isCorrect(prediction)) cluster.correct++;
  }
  return [...clusters.values()];
}
