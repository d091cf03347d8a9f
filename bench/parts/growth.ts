import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scaledCorpus, vocabulary, writeCorpus } from "../corpus.js";
import type { EdaRuns } from "../eda.js";
import { NotGiven, type Part, PYTHON_MISSING, runBench, versionsInWords } from "../table.js";
import type { T5Bench } from "../train/bench-flan-t5-base.js";
import { edaRows } from "./eda.js";

const FACTORS = [0.25, 1, 4];
const LENGTHS = [64, 128, 256, 512];

export const growth: Part = {
  about: "how cost grows: EDA of a quarter and of four times the rows, training with 64 to 512 tokens a row",
  async rows({ python, rounds }) {
    const corpus = writeCorpus();
    if (!corpus) throw new NotGiven("no corpus: MMMLU_LAB_SHARED names the folder with data/make-corpus.mjs");
    const folder = mkdtempSync(join(tmpdir(), "mmmlu-growth-"));
    const more = python ? ["--python", python] : [];
    try {
      const byRows = FACTORS.flatMap((factor) => {
        const scaled = join(folder, String(factor));
        scaledCorpus(corpus, factor, scaled);
        const runs: EdaRuns = runBench("./eda.ts", [
          ...[scaled, vocabulary("roberta-base"), "--rounds", String(rounds), ...more],
        ]);
        rmSync(scaled, { recursive: true });
        return edaRows(`EDA, rows × ${factor === 0.25 ? "¼" : factor}`, runs).slice(0, 2);
      });
      const byLength = LENGTHS.map((length) => {
        const found: T5Bench = runBench("./train.ts", [
          ...["flan-t5-base", "--steps", "4", "--rounds", String(rounds), "--length", String(length), ...more],
        ]);
        return {
          what: `flan-t5-base, ${length} tokens a row`,
          unit: "rows/s" as const,
          ours: found.rowsPerSecond,
          theirs: found.python?.rowsPerSecond,
          beside: `Trainer${found.python ? ` (${versionsInWords(found.python.versions)})` : ""}`,
          ...(found.python
            ? { same: `the same ${found.batch} rows in each of ${found.steps} steps` }
            : { missing: PYTHON_MISSING }),
        };
      });
      return [...byRows, ...byLength];
    } finally {
      rmSync(corpus, { recursive: true, force: true });
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
