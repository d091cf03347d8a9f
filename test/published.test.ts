import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { protocolDifferences } from "../src/experiments/configuration/differences.js";
import { configure, presets } from "../src/experiments/index.js";
import { type Experiment, experiments, isPublished } from "../src/experiments/presets/index.js";
import { shared, withoutShared } from "./shared.js";

const none = { metrics: {}, manifest: { data: {}, split: {}, model: {} } } as Parameters<Experiment["figures"]>[0];

/** All numbers in a value, with where they stand. */
function numbersIn(value: unknown, path: string): [string, number][] {
  if (typeof value === "number") return [[path, value]];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) => numbersIn(inner, `${path}.${key}`));
}

describe("the published figures", () => {
  it.skipIf(withoutShared).each([
    ["eda", "eda"],
    ["flan_t5_finetune", "flan-t5-finetune"],
    ["gemma_2_2b_finetune", "gemma-2-2b-finetune"],
    ["gemma_3_27b_baseline", "gemma-3-27b-baseline"],
  ] as const)("of %s are all shown", (name, experiment) => {
    const published = JSON.parse(readFileSync(shared("reference", "published-results.json"), "utf8"));
    const shown = (experiments[experiment] as Experiment).figures(none).map((figure) => figure.published);
    const missing = numbersIn(published[name], name).filter(([path, value]) => {
      // Told in per cent there.
      const wanted = path.endsWith("percent_at_most_256") ? value / 100 : value;
      // The extremes are among the subjects.
      return !shown.some((one) => Math.abs(one - wanted) < 1e-9 * Math.max(1, Math.abs(wanted)));
    });
    expect(missing).toEqual([]);
  });

  it("have a place each: matrices, subjects and losses in groups of their own", () => {
    const groups = (name: keyof typeof experiments): Record<string, number> => {
      const counts: Record<string, number> = {};
      for (const { group = "" } of (experiments[name] as Experiment).figures(none))
        counts[group] = (counts[group] ?? 0) + 1;
      return counts;
    };
    expect(groups("flan-t5-finetune")).toMatchObject({
      "confusion matrix after training": 16,
      "rows by subject after training": 57,
      "accuracy by subject after training": 57,
      "training loss every 100 steps": 46,
    });
    expect(groups("gemma-3-27b-baseline")).toMatchObject({ "confusion matrix": 16, "accuracy by subject": 57 });
    expect(groups("eda")).toMatchObject({ "rows by language": 14, "answers of the first five subjects": 20 });
  });
});

describe("deviations", () => {
  it("stand with every published preset, which itself is as published", () => {
    for (const preset of presets) {
      const experiment: Experiment = experiments[preset.name as keyof typeof experiments];
      const { deviations } = experiment;
      // Others' protocols have theirs; of our own experiments there is nothing to deviate from.
      if (!isPublished(experiment) && deviations.length === 0) {
        expect(protocolDifferences(preset)).toEqual(["there is no published run of this experiment"]);
        continue;
      }
      expect(deviations.length, preset.name).toBeGreaterThan(2);
      expect(protocolDifferences(preset)).toEqual(deviations);
    }
  });

  it("name what --set changes: requests at once, and the type that weights are read as", async () => {
    const changed = async (name: string, setting: string) => protocolDifferences(await configure(name, [setting]));
    expect(await changed("gemma-3-27b-baseline", "answerer.concurrency=4")).toContain(
      "answerer.concurrency: 4, published 1",
    );
    expect(await changed("gemma-2-2b-finetune", "model.torchDtype=float32")).toContain(
      'model.torchDtype: "float32", published "float16"',
    );
  });
});
