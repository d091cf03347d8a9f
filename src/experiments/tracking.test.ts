import { expect, it } from "vitest";
import { silent } from "../base/progress.js";
import { presets } from "./presets/index.js";
import { tracked } from "./tracking.js";

it("hands a run's progress on as it was told, what an earlier sitting did too", async () => {
  const told: unknown[][] = [];
  const progress = { ...silent, begin: (...given: unknown[]) => void told.push(given) };
  const outcome = { folder: "f", report: "r", headline: ["done"] };
  const made = await tracked(
    presets[0]!,
    "f",
    { progress, environment: {}, wandb: "disabled" } as never,
    async (_tracker, watched) => {
      watched.progress.begin("training", 100, 40);
      return outcome;
    },
  );
  expect(made).toBe(outcome);
  expect(told).toEqual([["training", 100, 40]]);
});
