/*
 * Filter and split as flan-t5-finetune has them, from the files of German and French to the ids of three parts: beside
 * `datasets` (bench/python/split.py), row by row as published and in batches.
 *
 *   npm run bench -- split --python PYTHON
 */
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { flanT5Prompt } from "../src/answer/index.js";
import { jsonPieces } from "../src/base/json.js";
import { loadCorpus } from "../src/data/index.js";
import { publishedSplit, splitIds } from "../src/split/index.js";
import { filterByLength, loadTokenizer } from "../src/tokens/index.js";
import { vocabulary, writeCorpus } from "./corpus.js";
import { inTurn, median, runJson } from "./table.js";

export interface SplitRun {
  readonly seconds: number;
  readonly kept: number;
  readonly ids: { readonly train: string[]; readonly validation: string[]; readonly test: string[] };
  readonly versions?: Readonly<Record<string, string>>;
}
/** Seconds of each side, and what all of them came to. */
export interface SplitRuns {
  readonly kept: number;
  readonly test: number;
  readonly seconds: Readonly<Record<"ours" | "batches" | "rows", number | undefined>>;
  readonly versions?: Readonly<Record<string, string>>;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: "string" },
    rounds: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    side: { type: "boolean", default: false },
  },
});
const tokenizerFolder = vocabulary("t5");
if (values.side) console.log(JSON.stringify(await ours(positionals[0]!)));
else await bench();

async function ours(corpusFolder: string): Promise<SplitRun> {
  const began = performance.now();
  const corpus = await loadCorpus({ source: corpusFolder, languages: ["DE_DE", "FR_FR"] });
  const tokenizer = await loadTokenizer({ source: tokenizerFolder });
  const filtered = await filterByLength(corpus.rows, flanT5Prompt, tokenizer, {
    maximumTokens: 256,
    inclusive: false,
    specialTokens: true,
  });
  const ids = JSON.parse([...jsonPieces(splitIds(publishedSplit(filtered.rows)))].join("")) as SplitRun["ids"];
  return { seconds: (performance.now() - began) / 1000, kept: filtered.rows.length, ids };
}

async function bench(): Promise<void> {
  const corpusFolder = writeCorpus("DE_DE,FR_FR");
  if (!corpusFolder) {
    console.error("no corpus: MMMLU_LAB_SHARED names the folder with data/make-corpus.mjs");
    process.exit(2);
  }
  const { python } = values;
  const script = fileURLToPath(new URL("./python/split.py", import.meta.url));
  const py = (way: string) => (): SplitRun => runJson(python!, [script, corpusFolder, tokenizerFolder, way]);
  try {
    const runs = await inTurn<SplitRun>(Number(values.rounds), {
      ours: () =>
        runJson(process.execPath, ["--import", "tsx", fileURLToPath(import.meta.url), corpusFolder, "--side"]),
      ...(python ? { batches: py("batches"), rows: py("rows") } : {}),
    });
    const all = Object.values(runs).flat();
    const [first] = all as [SplitRun, ...SplitRun[]];
    const apart = all.find(({ ids }) => JSON.stringify(ids) !== JSON.stringify(first.ids));
    if (apart)
      throw new Error(
        `other rows: ${first.kept} and ${apart.kept} kept, first of test ${first.ids.test[0]} and ${apart.ids.test[0]}`,
      );
    const secondsOf = (name: string): number | undefined =>
      runs[name] && median(runs[name].map(({ seconds }) => seconds));
    const result: SplitRuns = {
      kept: first.kept,
      test: first.ids.test.length,
      seconds: { ours: secondsOf("ours"), batches: secondsOf("batches"), rows: secondsOf("rows") },
      versions: runs["rows"]?.[0]?.versions,
    };
    console.log(JSON.stringify(result));
  } finally {
    rmSync(corpusFolder, { recursive: true, force: true });
  }
}
