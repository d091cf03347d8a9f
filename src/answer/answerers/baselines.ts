import { didYouMean } from "../../base/nearest.js";
import { baseline, baselineNames } from "../baseline.js";
import type { AnswererKind } from "./kind.js";

/** Answerers that read no question. */
export const baselines: AnswererKind = {
  prefix: "baseline:",
  ofRows: true,
  names: baselineNames.map((name) => `\`${name}\``).join(", "),
  problem({ model, logProbabilities, measures = "text" }) {
    if (!(baselineNames as readonly string[]).includes(model)) {
      const why = `there is no baseline "${model}": there are ${baselineNames.join(", ")}`;
      return { option: "model", why: `${why}${didYouMean(model, baselineNames)}` };
    }
    if (measures !== "text") return { option: "measures", why: "a baseline gives no probabilities of letters" };
    return logProbabilities ? { option: "logProbabilities", why: "a baseline has none" } : undefined;
  },
  async create({ model, seed, beforeAnswer, rows: { train, test } = { train: [], test: [] } }) {
    const answerer = baseline(model, {
      seed,
      beforeAnswer,
      majorityOf: train.length
        ? { rows: train, what: "the rows that are not test rows" }
        : { rows: test, what: "the test rows themselves" },
    });
    return { ...answerer, note: `${answerer.description}.` };
  },
};
