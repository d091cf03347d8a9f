import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { didYouMean, didYouMeanBeside, nearest } from "./nearest.js";

it("finds the name that was meant, and none where none is near", () => {
  const names = ["eda", "flan-t5-finetune", "gemma-2-2b-finetune", "run", "prepare"];
  for (const [given, meant] of [
    ["eda ", "eda"],
    ["dea", "eda"],
    ["EDA", "eda"],
    ["flan-t5", "flan-t5-finetune"],
    ["flan-t5-finetun", "flan-t5-finetune"],
    ["gema-2-2b-finetune", "gemma-2-2b-finetune"],
    ["rnu", "run"],
    ["preprae", "prepare"],
    ["", undefined],
    ["x".repeat(10_000), undefined],
    ["zzz", undefined],
  ] as const)
    expect([given, nearest(given, names)]).toEqual([given, meant]);
  expect(nearest("gpu", ["cpu", "webgpu", "cuda", "auto"])).toBe("webgpu");
  expect(didYouMean("rnu", names)).toBe("; did you mean run?");
  expect(didYouMean("zzz", names)).toBe("");
});

it("suggests a path by what stands beside it", () => {
  const here = fileURLToPath(new URL(".", import.meta.url));
  expect(didYouMeanBeside(`${here}nearst.ts`)).toBe(`; did you mean ${here}nearest.ts?`);
  expect(didYouMeanBeside(`${here}nearst.ts/`)).toBe(`; did you mean ${here}nearest.ts?`);
  expect(didYouMeanBeside("no/such/folder/x")).toBe("");
});
