/*
 * EDA of the full-size corpus with RoBERTa's vocabulary: seconds to load, to count all tokens, in all, and the peak of
 * memory. With --python the same work is done by bench/python/eda.py (datasets, tokenizers, pandas) in turn.
 *
 *   npm run bench:eda -- CORPUS_FOLDER TOKENIZER_FOLDER [--json] [--python PYTHON]
 *
 * Without folders: the corpus and vocabulary beside the repository (../shared), where they are.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { rowTexts } from "../src/answer/index.js";
import { loadCorpus } from "../src/data/index.js";
import { explore } from "../src/explore/index.js";
import { loadTokenizer } from "../src/tokens/index.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const flags = process.argv.slice(2);
const python = flags.includes("--python") ? flags.splice(flags.indexOf("--python"), 2)[1] : undefined;
const json = flags.includes("--json");
const [corpusGiven, tokenizerGiven] = flags.filter((flag) => !flag.startsWith("--"));
const shared = process.env.MMMLU_LAB_SHARED ?? resolve(root, "../shared");
const tokenizerFolder = tokenizerGiven ?? join(shared, "tokenizers", "roberta-base");
let corpusFolder = corpusGiven;
if (!corpusFolder && existsSync(join(shared, "data", "make-corpus.mjs"))) {
  corpusFolder = mkdtempSync(join(tmpdir(), "mmmlu-corpus-"));
  execFileSync(process.execPath, [join(shared, "data", "make-corpus.mjs"), corpusFolder], { stdio: "ignore" });
}
if (!corpusFolder || !existsSync(tokenizerFolder)) {
  console.error(
    "usage: npm run bench:eda -- CORPUS_FOLDER TOKENIZER_FOLDER (a folder with test/mmlu_XX-YY.csv; vocab.json " +
      "and merges.txt)",
  );
  process.exit(2);
}

let peak = 0;
const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20);
const began = performance.now();
const corpus = await loadCorpus({ source: corpusFolder });
const loaded = performance.now();
const tokenizer = await loadTokenizer({ source: tokenizerFolder });
const found = await explore(corpus, { tokenizer, textOf: rowTexts["question-and-choices"] });
const ended = performance.now();
clearInterval(watch);
// The system's own figure for the process's largest resident size, in KiB.
peak = Math.max(peak, process.resourceUsage().maxRSS * 1024);
const tokens = found.questionTokens.mean * found.rows + found.questionAndChoicesTokens.mean * found.rows;
const ours = {
  rows: found.rows,
  loadSeconds: (loaded - began) / 1000,
  exploreSeconds: (ended - loaded) / 1000,
  seconds: (ended - began) / 1000,
  millionTokensPerSecond: tokens / 1e6 / ((ended - loaded) / 1000),
  peakGiB: peak / 2 ** 30,
  meanTokens: found.questionAndChoicesTokens.mean,
};
const theirs = python
  ? (JSON.parse(
      execFileSync(python, [join(root, "bench", "python", "eda.py"), corpusFolder, tokenizerFolder], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }),
    ) as Record<string, number>)
  : undefined;
if (json) console.log(JSON.stringify({ ours, ...(theirs ? { python: theirs } : {}) }));
else {
  const print = (name: string, one: Record<string, number>): void =>
    console.log(
      `${name}: ${Object.entries(one)
        .map(([key, value]) => `${key} ${Number.isInteger(value) ? value : value.toFixed(2)}`)
        .join(", ")}`,
    );
  print("mmmlu-lab", ours);
  if (theirs) print("python", theirs);
}
