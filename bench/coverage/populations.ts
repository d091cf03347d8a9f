import type { Cluster, PairedCluster } from "../../src/evaluate/index.js";
import { beta, binomial, type Draw, normal, uniforms } from "./draws.js";

/** Questions of a run: how many, in how many languages, how often right and how much alike within a question. */
export interface Setting {
  readonly questions: number;
  readonly languages: number;
  readonly accuracy: number;
  /** Correlation of two rows of one question; on the latent scale in {@link latentLogistic}. */
  readonly correlation: number;
}

/** Draws the questions of a run; over repeated draws and languages a row is right with probability `accuracy`. */
export type Population = (setting: Setting) => (draw: Draw) => Cluster[];

const questions = (setting: Setting, one: (index: number) => Cluster): Cluster[] =>
  Array.from({ length: setting.questions }, (_, index) => one(index));

function likelihood({ accuracy, correlation }: Setting): (draw: Draw) => number {
  if (correlation === 0) return () => accuracy;
  const weight = (1 - correlation) / correlation;
  return (draw) => beta(draw, accuracy * weight, (1 - accuracy) * weight);
}

/** A question's rows are right with a probability of its own, drawn from a beta distribution. */
const betaBinomial: Population = (setting) => {
  const chance = likelihood(setting);
  return (draw) =>
    questions(setting, () => ({
      n: setting.languages,
      correct: binomial(draw, setting.languages, chance(draw)),
    }));
};

/** As {@link betaBinomial}, and questions lack languages: between one row and all. */
const uneven: Population = (setting) => {
  const chance = likelihood(setting);
  return (draw) =>
    questions(setting, (index) => {
      const n = 1 + ((index * 5) % setting.languages);
      return { n, correct: binomial(draw, n, chance(draw)) };
    });
};

/** Each row copies its question's one answer, or has one of its own. */
const copies: Population = (setting) => {
  const copy = Math.sqrt(setting.correlation);
  return (draw) =>
    questions(setting, () => {
      const shared = draw() < setting.accuracy;
      let correct = 0;
      for (let row = 0; row < setting.languages; row++)
        if (draw() < copy ? shared : draw() < setting.accuracy) correct++;
      return { n: setting.languages, correct };
    });
};

/** Effects of the languages on the latent scale, from the weakest to the strongest. */
const effectOf = (language: number, languages: number): number =>
  languages === 1 ? 0 : -0.8 + (1.6 * language) / (languages - 1);

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

/**
 * Difficulty is normal on the logit scale, languages differ by fixed amounts (Rasch's model with a language effect).
 */
const latentLogistic: Population = (setting) => {
  const { languages, accuracy, correlation } = setting;
  const spread = Math.sqrt(((Math.PI ** 2 / 3) * correlation) / (1 - correlation));
  const grid = Array.from({ length: 201 }, (_, i) => -5 + i / 20);
  const weights = grid.map((z) => Math.exp((-z * z) / 2));
  const total = weights.reduce((a, b) => a + b);
  const effects = Array.from({ length: languages }, (_, language) => effectOf(language, languages));
  const mean = (level: number): number =>
    grid.reduce(
      (sum, z, i) => sum + (weights[i]! / total) * effects.reduce((s, e) => s + logistic(level + spread * z + e), 0),
      0,
    ) / languages;
  let [low, high] = [-40, 40];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (mean(middle) < accuracy) low = middle;
    else high = middle;
  }
  return (draw) =>
    questions(setting, () => {
      const level = low + spread * normal(draw);
      let correct = 0;
      for (const effect of effects) if (draw() < logistic(level + effect)) correct++;
      return { n: languages, correct };
    });
};

export const populations: Readonly<Record<string, Population>> = {
  "beta-binomial": betaBinomial,
  uneven,
  copies,
  "latent logistic": latentLogistic,
};

/** Two runs on the same questions. */
export interface PairSetting {
  readonly questions: number;
  readonly languages: number;
  readonly first: number;
  readonly second: number;
  /** Correlation of two rows of one question, in each run. */
  readonly correlation: number;
  /** The share of questions and rows in which the second run's luck is the first's. */
  readonly alike: number;
}

export interface Pair {
  readonly clusters: PairedCluster[];
  readonly onlyFirst: number;
  readonly onlySecond: number;
}

/**
 * Draws two runs: each row has its question's number or one of its own, and is right where that is under the accuracy.
 */
export function drawPair(setting: PairSetting, draw: Draw): Pair {
  const copy = Math.sqrt(setting.correlation);
  let [onlyFirst, onlySecond] = [0, 0];
  const other = (number: number): number => (draw() < setting.alike ? number : draw());
  const clusters = Array.from({ length: setting.questions }, () => {
    const shared = draw();
    const sharedOther = other(shared);
    let difference = 0;
    for (let row = 0; row < setting.languages; row++) {
      const copies = draw() < copy;
      const one = copies ? shared : draw();
      const two = copies ? sharedOther : other(one);
      const [a, b] = [one < setting.first, two < setting.second];
      if (a && !b) onlyFirst++;
      if (b && !a) onlySecond++;
      difference += Number(b) - Number(a);
    }
    return { n: setting.languages, difference };
  });
  return { clusters, onlyFirst, onlySecond };
}

/** Share of repeated samples of which something holds; the same seed gives the same share. */
export function shareOf(repeats: number, seed: number, holds: (draw: Draw) => boolean): number {
  const draw = uniforms(seed);
  let held = 0;
  for (let i = 0; i < repeats; i++) if (holds(draw)) held++;
  return held / repeats;
}
