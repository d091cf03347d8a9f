import {
  type Cluster,
  clusteredInterval,
  clusteredMcnemarExact,
  type Interval,
  macroInterval,
  mcnemarExact,
  pairedBootstrap,
  pairedDifferenceInterval,
} from "../../src/evaluate/index.js";
import type { Draw } from "./draws.js";
import { drawPair, type PairSetting, populations, shareOf } from "./populations.js";

export const QUESTIONS = [1, 2, 5, 10, 20, 50, 200, 1000] as const;
export const LANGUAGES = [1, 2, 5, 14] as const;
export const ACCURACIES = [0.25, 0.5, 0.8, 0.9, 0.95, 0.98] as const;
export const CORRELATIONS = [0, 0.1, 0.3, 0.6, 0.9] as const;

/** Something that holds, or does not, in a sample; and what the sample is of. */
export interface Cell {
  readonly what: string;
  readonly holds: (draw: Draw) => boolean;
}

const covers = ([low, high]: Interval, truth: number): boolean => low <= truth + 1e-12 && truth - 1e-12 <= high;

/** Whether the interval of a run's accuracy covers it. */
export function accuracyCells(questions: number, languages: number): Cell[] {
  return Object.entries(populations).flatMap(([name, population]) =>
    ACCURACIES.flatMap((accuracy) =>
      // One row a question has no correlation, and is the same in all of them.
      (languages === 1 ? [0] : CORRELATIONS).flatMap((correlation): Cell[] => {
        if (languages === 1 && name !== "beta-binomial") return [];
        const sample = population({ questions, languages, accuracy, correlation });
        return [
          {
            what: `${name}, accuracy ${accuracy}, correlation ${correlation}`,
            holds: (draw) => covers(clusteredInterval(sample(draw)).interval, accuracy),
          },
        ];
      }),
    ),
  );
}

/** Whether the interval of a macro average over subjects of different accuracies and sizes covers it. */
export function macroCells(subjects: number, questions: number, languages: number): Cell[] {
  const sizes = { equal: () => questions, "of one to twice as many": (s: number) => 1 + ((s * 7) % (2 * questions)) };
  return Object.entries(sizes).flatMap(([name, size]) =>
    [0.4, 0.8, 0.95].flatMap((centre) =>
      (languages === 1 ? [0] : [0, 0.3, 0.6, 0.9]).map((correlation): Cell => {
        const truths = Array.from({ length: subjects }, (_, s) => {
          const spread = Math.min(0.3, 1 - centre - 0.01);
          return centre + (subjects === 1 ? 0 : spread * (-1 + (2 * s) / (subjects - 1)));
        });
        const samples = truths.map((accuracy, s) =>
          populations["copies"]!({ questions: size(s), languages, accuracy, correlation }),
        );
        const truth = truths.reduce((a, b) => a + b) / subjects;
        return {
          what: `questions ${name}, accuracy ${centre}, correlation ${correlation}`,
          holds: (draw) => covers(macroInterval(samples.map((sample): Cluster[] => sample(draw))), truth),
        };
      }),
    ),
  );
}

/** Accuracies of two runs. */
const PAIRS = [
  [0.5, 0.5],
  [0.3, 0.6],
  [0.6, 0.62],
  [0.25, 0.27],
  [0.9, 0.9],
  [0.95, 0.9],
  [0.97, 0.99],
  [0.98, 0.98],
] as const;

function pairSettings(questions: number, languages: number, null_: boolean): PairSetting[] {
  return PAIRS.filter(([first, second]) => !null_ || first === second).flatMap(([first, second]) =>
    (languages === 1 ? [0] : [0, 0.3, 0.6, 0.9]).flatMap((correlation) =>
      [0, 0.7, 0.95].map((alike) => ({ questions, languages, first, second, correlation, alike })),
    ),
  );
}

const told = ({ first, second, correlation, alike }: PairSetting): string =>
  `accuracies ${first} and ${second}, correlation ${correlation}, alike ${alike}`;

/** Whether the interval of a difference of two runs covers it. */
export const pairedCells = (questions: number, languages: number): Cell[] =>
  pairSettings(questions, languages, false).map((setting) => ({
    what: told(setting),
    holds: (draw) => {
      const { clusters, onlyFirst, onlySecond } = drawPair(setting, draw);
      return covers(pairedDifferenceInterval(clusters, onlyFirst, onlySecond), setting.second - setting.first);
    },
  }));

/** The same of the percentile bootstrap. */
export const bootstrapCells = (questions: number, languages: number): Cell[] =>
  pairSettings(questions, languages, false).map((setting) => ({
    what: told(setting),
    holds: (draw) => {
      const { clusters } = drawPair(setting, draw);
      const seed = Math.floor(draw() * 2 ** 31);
      return covers(pairedBootstrap(clusters, { resamples: 200, seed }), setting.second - setting.first);
    },
  }));

/** Whether a test keeps a true null hypothesis, two runs of the same accuracy, at 0.05. */
export const testCells = (questions: number, languages: number, by: "question" | "row"): Cell[] =>
  pairSettings(questions, languages, true).map((setting) => ({
    what: told(setting),
    holds: (draw) => {
      const { clusters, onlyFirst, onlySecond } = drawPair(setting, draw);
      const p =
        by === "row"
          ? mcnemarExact(onlyFirst, onlySecond)
          : clusteredMcnemarExact(clusters.map(({ difference }) => difference));
      return p >= 0.05;
    },
  }));

/** Test and interval where the accuracies are equal, but many questions gain a row and few lose all: not symmetric. */
export const asymmetricCells = (questions: number, languages: number, by: "test" | "interval"): Cell[] =>
  [0.1, 0.4, 0.8].map((changed) => ({
    what: `${changed} of the questions change`,
    holds: (draw) => {
      const differences = Array.from({ length: questions }, () => {
        const at = draw() / changed;
        return at < languages / (languages + 1) ? 1 : at < 1 ? -languages : 0;
      });
      if (by === "test") return clusteredMcnemarExact(differences) >= 0.05;
      const sum = (side: number): number => differences.reduce((all, one) => all + Math.max(0, side * one), 0);
      const clusters = differences.map((difference) => ({ n: languages, difference }));
      return covers(pairedDifferenceInterval(clusters, sum(-1), sum(1)), 0);
    },
  }));

export interface Found {
  readonly lowest: number;
  readonly where: string;
  readonly mean: number;
  readonly cells: number;
}

/**
 * The lowest and the mean share over cells. The lowest of many is low by chance too: its cell is drawn again, from
 * other numbers, ten times as often, and that is what is told.
 */
export function lowestShare(cells: readonly Cell[], repeats: number, seed: number): Found {
  const shares = cells.map((cell, index) => shareOf(repeats, seed + 7 * index, cell.holds));
  const at = shares.indexOf(Math.min(...shares));
  return {
    lowest: shareOf(10 * repeats, seed + 1_000_003, cells[at]!.holds),
    where: cells[at]!.what,
    mean: shares.reduce((a, b) => a + b) / shares.length,
    cells: cells.length,
  };
}
