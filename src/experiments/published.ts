/*
 * Headline figures of the published runs of the four experiments, for putting ours beside them. Each holds only on MMMLU
 * itself, with the protocol of the preset.
 */

export const PUBLISHED = {
  eda: {
    rows: 196_588,
    nulls: 0,
    answers: { A: 45_110, B: 48_465, C: 50_151, D: 52_862 },
    questionTokens: { mean: 200.06419, "50%": 80, max: 9055 },
    questionAndChoicesTokens: { mean: 342.49856, "50%": 192, max: 9383 },
    shareAtMost256: 0.6175,
  },
  "flan-t5-finetune": { baseline: 0.2833, final: 0.3332, testRows: 2344, steps: 4688, trainLoss: 1.390288294378808 },
  "gemma-2-2b-finetune": {
    baseline: 0.3751,
    final: 0.5392,
    rowsAfterFilter: 23_696,
    train: 18_956,
    validation: 2370,
    testRows: 2370,
    steps: 2370,
    trainLoss: 0.4726693630218506,
    testPerplexity: 1.69,
    trainableParameters: 41_533_440,
  },
  "gemma-3-27b-baseline": { test: 0.6759, rowsAfterFilter: 24_213, testRows: 2422, unreadable: 12 },
} as const;

/** A published accuracy by preset and stage (`test`, `baseline`, `final`). */
export function publishedAccuracy(preset: string, stage: string): number | undefined {
  const figures = (PUBLISHED as Record<string, Record<string, unknown>>)[preset];
  const value = figures?.[stage];
  return typeof value === "number" ? value : undefined;
}
