/*
 * EDA of the full-size corpus: seconds to load, to count all tokens, in all, and the peak of memory. With --python the
 * same work is done by bench/python/eda.py (datasets, tokenizers, pandas) in turn, as an expert would, in batches; with
 * --by-row also as the published notebook does it, row by row.
 *
 *   npm run bench:eda -- CORPUS_FOLDER TOKENIZER_FOLDER [--python PYTHON] [--by-row] [--rounds 1] [--json]
 *
 * Without folders: the corpus and RoBERTa's vocabulary beside the repository (../shared), where they are.
 */
import { existsSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { rowTexts } from "../src/answer/index.js";
import { loadCorpus } from "../src/data/index.js";
import { explore } from "../src/explore/index.js";
import { loadTokenizer } from "../src/tokens/index.js";
import { vocabulary, writeCorpus } from "./corpus.js";
import { inTurn, median, runJson } from "./table.js";

/** What a side came to. */
export interface EdaRun {
  readonly rows: number;
  readonly loadSeconds: number;
  readonly exploreSeconds: number;
  readonly seconds: number;
  readonly peakGiB: number;
  readonly meanTokens: number;
  readonly shareAtMost256: number;
  readonly versions?: Readonly<Record<string, string>>;
}
export interface EdaRuns {
  readonly ours: EdaRun;
  /** In batches. */
  readonly python?: EdaRun;
  readonly byRow?: EdaRun;
}

const here = fileURLToPath(import.meta.url);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: "string" },
    "by-row": { type: "boolean", default: false },
    rounds: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    // Our side, in a process of its own.
    side: { type: "boolean", default: false },
  },
});
if (values.side) console.log(JSON.stringify(await ours(positionals[0]!, positionals[1]!)));
else await bench();

async function ours(corpusFolder: string, tokenizerFolder: string): Promise<EdaRun> {
  const began = performance.now();
  const corpus = await loadCorpus({ source: corpusFolder });
  const loaded = performance.now();
  const tokenizer = await loadTokenizer({ source: tokenizerFolder });
  const found = await explore(corpus, { tokenizer, textOf: rowTexts["question-and-choices"] });
  const ended = performance.now();
  return {
    rows: found.rows,
    loadSeconds: (loaded - began) / 1000,
    exploreSeconds: (ended - loaded) / 1000,
    seconds: (ended - began) / 1000,
    // The system's own figure for the process's largest resident size, in KiB.
    peakGiB: process.resourceUsage().maxRSS / 2 ** 20,
    meanTokens: found.questionAndChoicesTokens.mean,
    shareAtMost256: found.shareAtMost256,
  };
}

async function bench(): Promise<void> {
  const [given, tokenizerFolder = vocabulary("roberta-base")] = positionals;
  const corpusFolder = given ?? writeCorpus();
  if (!corpusFolder || !existsSync(tokenizerFolder)) {
    console.error(
      "usage: npm run bench:eda -- CORPUS_FOLDER TOKENIZER_FOLDER (a folder with test/mmlu_XX-YY.csv; vocab.json " +
        "and merges.txt, or tokenizer.json)",
    );
    process.exit(2);
  }
  const script = fileURLToPath(new URL("./python/eda.py", import.meta.url));
  const { python } = values;
  const py = (way: string) => (): EdaRun => runJson(python!, [script, corpusFolder, tokenizerFolder, way]);
  try {
    const runs = await inTurn<EdaRun>(Number(values.rounds), {
      ours: () => runJson(process.execPath, ["--import", "tsx", here, corpusFolder, tokenizerFolder, "--side"]),
      ...(python ? { python: py("batches") } : {}),
      ...(python && values["by-row"] ? { byRow: py("rows") } : {}),
    });
    const results = Object.fromEntries(
      Object.entries(runs).map(([name, all]) => [name, middle(all)]),
    ) as unknown as EdaRuns;
    if (values.json) console.log(JSON.stringify(results));
    else
      for (const [name, one] of Object.entries(results) as [string, EdaRun][])
        console.log(
          `${name}: ${Object.entries(one)
            .map(([key, value]) =>
              typeof value === "number"
                ? `${key} ${Number.isInteger(value) ? value : value.toFixed(2)}`
                : Object.entries(value as Record<string, string>)
                    .flat()
                    .join(" "),
            )
            .join(", ")}`,
        );
  } finally {
    if (!given) rmSync(corpusFolder, { recursive: true, force: true });
  }
}

/** The run whose time is the middle one. */
function middle(runs: readonly EdaRun[]): EdaRun {
  return runs.find(({ seconds }) => seconds === median(runs.map((one) => one.seconds)))!;
}
