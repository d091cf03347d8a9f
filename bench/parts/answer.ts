import type { AnswerBench } from "../answer.js";
import { type Part, PYTHON_MISSING, runBench, type TableRow, versionsInWords } from "../table.js";

const rows = (model: string, more: readonly string[], python: string | undefined): TableRow[] => {
  const found: AnswerBench = runBench("./answer.ts", [model, ...more, ...(python ? ["--python", python] : [])]);
  const other = found.python;
  const beside = other
    ? {
        beside: `transformers' generate (${versionsInWords(other.versions)})`,
        same: `${other.alike} of ${found.rows} replies are the same`,
      }
    : { beside: "transformers' generate", missing: PYTHON_MISSING };
  const what = `${model} answers, batches of ${found.batchSize}`;
  return [
    { what, unit: "rows/s", ours: found.rowsPerSecond, theirs: other?.rowsPerSecond, ...beside },
    { what: `${what}, peak memory`, unit: "GiB", ours: found.peakGiB, theirs: other?.peakGiB, ...beside },
  ];
};

export const answer: Part = {
  about: "greedy answers of flan-t5-base and of Gemma 2 2B in FP4, beside transformers' generate (9 GiB of memory)",
  rows: async ({ python }) => [
    ...rows("flan-t5-base", ["--rows", "64"], python),
    ...rows("gemma-2-2b", ["--rows", "32"], python),
  ],
};
