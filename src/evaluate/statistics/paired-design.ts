import type { Prediction } from "../prediction.js";
import { byQuestion, isCorrect } from "./cluster.js";
import type { PairedDesign } from "./power.js";

/**
 * What two finished runs say of the next comparison: rows a question, the share of rows that just one of them got
 * right, and how alike the differences of a question's rows are (the moment estimator over pairs of its rows, from 0
 * to 1).
 * @returns undefined where they have no row in common, or none that just one got right
 */
export function pairedDesign(first: readonly Prediction[], second: readonly Prediction[]): PairedDesign | undefined {
  const others = new Map(second.map((one) => [one.id, one]));
  const rows = first.flatMap((one) => {
    const other = others.get(one.id);
    return other
      ? [{ id: one.id, question: one.question, difference: Number(isCorrect(other)) - Number(isCorrect(one)) }]
      : [];
  });
  const discordant = rows.filter(({ difference }) => difference !== 0).length;
  if (discordant === 0) return undefined;
  const mean = rows.reduce((sum, { difference }) => sum + difference, 0) / rows.length;
  const variance = rows.reduce((sum, { difference }) => sum + (difference - mean) ** 2, 0) / rows.length;
  const questions = [...byQuestion(rows).values()];
  let [products, pairs] = [0, 0];
  for (const group of questions) {
    const sum = group.reduce((all, { difference }) => all + difference - mean, 0);
    const squares = group.reduce((all, { difference }) => all + (difference - mean) ** 2, 0);
    products += sum ** 2 - squares;
    pairs += group.length * (group.length - 1);
  }
  return {
    languages: rows.length / questions.length,
    discordance: discordant / rows.length,
    correlation: pairs > 0 && variance > 0 ? Math.min(1, Math.max(0, products / pairs / variance)) : 0,
  };
}
