import type { Letter } from "../tasks/index.js";
import { letterUnder } from "../tasks/index.js";
import type { Prediction } from "./prediction.js";
import { optionsOf } from "./row-facts.js";
import { byQuestion, isCorrect } from "./statistics/cluster.js";
import { clusteredInterval, type Interval } from "./statistics/interval.js";
import { letterBias } from "./statistics/letters.js";
import { pairedDifferenceInterval } from "./statistics/paired.js";

/*
 * Rows that were asked more than once: under several orders of their options, or again under the same.
 */

/** What of a prediction is looked at. */
export type AskedAnswer = Pick<Prediction, "id" | "question" | "options" | "answer" | "prediction">;

/** All rows' answers of one asking; those of other askings are of the same rows in the same order. */
export interface Asking {
  /** By how many places the options were turned round. */
  readonly order: number;
  /** Which asking under this order it is, from 0. */
  readonly repeat: number;
  readonly answers: readonly AskedAnswer[];
}

/** An accuracy over several askings, with its 95 % interval clustered by question. */
export interface AskedAccuracy {
  readonly accuracy: number;
  readonly interval: Interval;
}

/** A difference of accuracies on the same rows, with its 95 % interval: paired, clustered by question. */
export interface AskedDifference {
  readonly difference: number;
  readonly interval: Interval;
}

export interface OrderStatistics extends AskedAccuracy {
  /** Orders; each row was asked under all of them. */
  readonly orders: number;
  /** Accuracy over all orders minus that of the rows' own order: what their order gave. */
  readonly againstOwnOrder: AskedDifference;
  /** Of each order, the rows' own first. */
  readonly byOrder: readonly (AskedAccuracy & { readonly order: number; readonly againstOwnOrder: AskedDifference })[];
  /** The share of rows answered with the same option under all orders; unreadable is never the same. */
  readonly answeredAlike: AskedAccuracy;
  /** How much oftener a letter is predicted than it is right, as a share of the readable answers. */
  readonly letters: readonly {
    readonly letter: Letter;
    /** In the rows' own order, which has more right answers under some letters than under others. */
    readonly excessInOwnOrder: number;
    /** Over all orders, which have as many under each: the model's own leaning. */
    readonly excessOverOrders: number;
  }[];
  /** Half the sum of the absolute excesses. */
  readonly positionBias: { readonly inOwnOrder: number; readonly overOrders: number };
}

export interface RepeatStatistics extends AskedAccuracy {
  readonly repeats: number;
  /** Accuracy of each repeat. */
  readonly accuracies: readonly number[];
  /** Standard deviation of the repeats' accuracies, with n − 1. */
  readonly spread: number;
  /** The mean over rows of the share of pairs of repeats that gave the same readable answer. */
  readonly agreement: number;
  /** The share of rows answered with the same option in all repeats. */
  readonly answeredAlike: AskedAccuracy;
}

const mean = (values: readonly number[]): number =>
  values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : 0;

/** An accuracy over answers, several of a row among them. */
function accuracyOver(answers: readonly (AskedAnswer & { readonly right: boolean })[]): AskedAccuracy {
  const clusters = [...byQuestion(answers).values()].map((group) => ({
    n: group.length,
    correct: group.filter(({ right }) => right).length,
  }));
  return {
    accuracy: answers.length ? answers.filter(({ right }) => right).length / answers.length : 0,
    interval: clusteredInterval(clusters).interval,
  };
}

const marked = (answers: readonly AskedAnswer[]): (AskedAnswer & { right: boolean })[] =>
  answers.map((answer) => ({ ...answer, right: isCorrect(answer) }));

/** The second answers against the first, one for one: pairs of the same row. */
function differenceOf(first: readonly AskedAnswer[], second: readonly AskedAnswer[]): AskedDifference {
  const pairs = first.map((one, index) => ({
    id: one.id,
    question: one.question,
    change: Number(isCorrect(second[index]!)) - Number(isCorrect(one)),
  }));
  const clusters = [...byQuestion(pairs).values()].map((group) => ({
    n: group.length,
    difference: group.reduce((sum, { change }) => sum + change, 0),
  }));
  const only = (change: number): number => pairs.filter((pair) => pair.change === change).length;
  return {
    difference: mean(pairs.map(({ change }) => change)),
    interval: pairedDifferenceInterval(clusters, only(-1), only(1)),
  };
}

/** Whether all of some answers to one row are the same option. */
const allAlike = (answers: readonly AskedAnswer[]): boolean =>
  answers[0]!.prediction !== null && answers.every(({ prediction }) => prediction === answers[0]!.prediction);

/** The share of rows answered alike in all of some askings. */
const alikeIn = (askings: readonly Asking[]): (AskedAnswer & { right: boolean })[] =>
  askings[0]!.answers.map((answer, row) => ({
    ...answer,
    right: allAlike(askings.map(({ answers }) => answers[row]!)),
  }));

/** Answers by the letters that were shown. */
const asShown = ({ order, answers }: Asking): AskedAnswer[] =>
  answers.map((one) => ({
    ...one,
    answer: letterUnder(one.answer, order, optionsOf(one)),
    prediction: one.prediction && letterUnder(one.prediction, order, optionsOf(one)),
  }));

/** What several orders of the options tell; undefined where there was one. */
export function orderStatistics(askings: readonly Asking[]): OrderStatistics | undefined {
  const orders = [...new Set(askings.map(({ order }) => order))].sort((a, b) => a - b);
  if (orders.length < 2) return undefined;
  const of = (order: number): Asking[] => askings.filter((asking) => asking.order === order);
  const answersOf = (all: readonly Asking[]): AskedAnswer[] => all.flatMap(({ answers }) => answers);
  const own = answersOf(of(0));
  const repeats = [...new Set(askings.map(({ repeat }) => repeat))];
  const inOwn = letterBias(of(0).flatMap(asShown));
  const over = letterBias(askings.flatMap(asShown));
  const half = (letters: readonly { excess: number }[]): number =>
    letters.reduce((sum, { excess }) => sum + Math.abs(excess), 0) / 2;
  return {
    orders: orders.length,
    ...accuracyOver(marked(answersOf(askings))),
    againstOwnOrder: differenceOf(
      orders.flatMap(() => own),
      orders.flatMap((order) => answersOf(of(order))),
    ),
    byOrder: orders.map((order) => ({
      order,
      ...accuracyOver(marked(answersOf(of(order)))),
      againstOwnOrder: differenceOf(own, answersOf(of(order))),
    })),
    answeredAlike: accuracyOver(
      repeats.flatMap((repeat) => alikeIn(askings.filter((asking) => asking.repeat === repeat))),
    ),
    letters: over.map(({ letter, excess }, index) => ({
      letter,
      excessInOwnOrder: inOwn[index]?.excess ?? 0,
      excessOverOrders: excess,
    })),
    positionBias: { inOwnOrder: half(inOwn), overOrders: half(over) },
  };
}

/** What repeats tell; undefined where there were none. */
export function repeatStatistics(askings: readonly Asking[]): RepeatStatistics | undefined {
  const repeats = [...new Set(askings.map(({ repeat }) => repeat))].sort((a, b) => a - b);
  if (repeats.length < 2) return undefined;
  const orders = [...new Set(askings.map(({ order }) => order))];
  const of = (repeat: number): AskedAnswer[] =>
    askings.filter((asking) => asking.repeat === repeat).flatMap(({ answers }) => answers);
  const accuracies = repeats.map((repeat) => mean(of(repeat).map((answer) => Number(isCorrect(answer)))));
  const centre = mean(accuracies);
  const ofOrder = orders.map((order) => askings.filter((asking) => asking.order === order));
  return {
    repeats: repeats.length,
    ...accuracyOver(marked(askings.flatMap(({ answers }) => answers))),
    accuracies,
    spread: Math.sqrt(accuracies.reduce((sum, one) => sum + (one - centre) ** 2, 0) / (repeats.length - 1)),
    agreement: mean(ofOrder.flatMap((same) => same[0]!.answers.map((_, row) => agreementAt(same, row)))),
    answeredAlike: accuracyOver(ofOrder.flatMap(alikeIn)),
  };
}

/** The share of pairs of askings that answered a row alike. */
function agreementAt(askings: readonly Asking[], row: number): number {
  const counts = new Map<string, number>();
  for (const { answers } of askings) {
    const { prediction } = answers[row]!;
    if (prediction !== null) counts.set(prediction, (counts.get(prediction) ?? 0) + 1);
  }
  const pairs = [...counts.values()].reduce((sum, count) => sum + (count * (count - 1)) / 2, 0);
  return pairs / ((askings.length * (askings.length - 1)) / 2);
}
