import { rmSync } from "node:fs";
import { vocabulary, writeCorpus } from "../corpus.js";
import type { EdaRun, EdaRuns } from "../eda.js";
import { NotGiven, type Part, PYTHON_MISSING, runBench, type TableRow, versionsInWords } from "../table.js";

/** @throws where a side counted other tokens */
export function sameTokens(ours: EdaRun, theirs: EdaRun): string {
  const apart = Math.abs(ours.meanTokens - theirs.meanTokens) > 1e-9 || ours.shareAtMost256 !== theirs.shareAtMost256;
  if (ours.rows !== theirs.rows || apart) throw new Error(`other counts: ${JSON.stringify({ ours, theirs })}`);
  return `${ours.rows.toLocaleString("en")} rows of ${ours.meanTokens.toFixed(4)} tokens`;
}

/** What a corpus costs both sides. */
export function edaRows(what: string, { ours, python, byRow }: EdaRuns): TableRow[] {
  const count = ours.rows.toLocaleString("en");
  const beside = (side: EdaRun | undefined, how: string): Pick<TableRow, "beside" | "same" | "missing"> =>
    side
      ? { beside: `${how} (${versionsInWords(side.versions!)})`, same: sameTokens(ours, side) }
      : { beside: how, missing: PYTHON_MISSING };
  return [
    {
      what: `${what} of ${count} rows`,
      unit: "s",
      ours: ours.seconds,
      theirs: python?.seconds,
      ...beside(python, "in batches"),
    },
    {
      what: `${what}, peak memory`,
      unit: "GiB",
      ours: ours.peakGiB,
      theirs: python?.peakGiB,
      ...beside(python, "in batches"),
    },
    ...(byRow || !python
      ? [
          {
            what: `${what} of ${count} rows`,
            unit: "s" as const,
            ours: ours.seconds,
            theirs: byRow?.seconds,
            ...beside(byRow, "row by row, as published"),
          },
        ]
      : []),
  ];
}

export const eda: Part = {
  about: "exploring all 196,588 rows, by RoBERTa's and by Gemma's tokenizer",
  async rows({ python, rounds }) {
    const corpus = writeCorpus();
    if (!corpus) throw new NotGiven("no corpus: MMMLU_LAB_SHARED names the folder with data/make-corpus.mjs");
    try {
      const measured = (tokenizer: string, ...more: string[]): EdaRuns =>
        runBench("./eda.ts", [
          ...[corpus, vocabulary(tokenizer), "--rounds", String(rounds), ...more],
          ...(python ? ["--python", python] : []),
        ]);
      return [
        ...edaRows("EDA by RoBERTa's tokens", measured("roberta-base", "--by-row")),
        ...edaRows("EDA by Gemma's tokens", measured("gemma-2")),
      ];
    } finally {
      rmSync(corpus, { recursive: true, force: true });
    }
  },
};
