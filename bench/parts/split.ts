import type { SplitRuns } from "../split.js";
import { type Part, PYTHON_MISSING, runBench, versionsInWords } from "../table.js";

export const split: Part = {
  about: "filter and split of flan-t5-finetune, beside datasets",
  async rows({ python, rounds }) {
    const { kept, test, seconds, versions }: SplitRuns = runBench("./split.ts", [
      ...["--rounds", String(rounds)],
      ...(python ? ["--python", python] : []),
    ]);
    return (["batches", "rows"] as const).map((way) => ({
      what: "filter and split of 28,084 rows",
      unit: "s",
      ours: seconds.ours!,
      theirs: seconds[way],
      beside: `${way === "rows" ? "row by row, as published" : "in batches"}${versions ? ` (${versionsInWords(versions)})` : ""}`,
      ...(versions
        ? { same: `${kept.toLocaleString("en")} rows kept, the ids of all parts in order (${test} test)` }
        : { missing: PYTHON_MISSING }),
    }));
  },
};
