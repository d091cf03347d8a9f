import { questionOf } from "../../data/index.js";
import type { Prediction } from "../prediction.js";
import type { Cluster } from "./interval.js";

/** The question that a row's id names, without its language: `abstract_algebra/0`. */
export function questionOfId(id: string): string {
  const [, subject, index] = id.split("/");
  return questionOf({ subject: subject as string, index: Number(index) });
}

/** Predictions by question: the one partition that feeds every clustered estimate. */
export function byQuestion<P extends Pick<Prediction, "id">>(predictions: readonly P[]): Map<string, P[]> {
  const groups = new Map<string, P[]>();
  for (const prediction of predictions) {
    const question = questionOfId(prediction.id);
    const group = groups.get(question);
    if (group) group.push(prediction);
    else groups.set(question, [prediction]);
  }
  return groups;
}

export const isCorrect = (prediction: Pick<Prediction, "answer" | "prediction">): boolean =>
  prediction.prediction === prediction.answer;

/** One {@link Cluster} a question. */
export function questionClusters(predictions: readonly Prediction[]): Cluster[] {
  return [...byQuestion(predictions).values()].map((group) => ({
    n: group.length,
    correct: group.filter(isCorrect).length,
  }));
}
