/*
 * Counting tokens of all texts at hand: by pieces that are remembered, as here, and by the library alone. For Gemma's
 * tokenizer and for RoBERTa's, each in a process of its own, in turn; fails where one text's count is another.
 *
 *   npm run bench -- tokens
 *   npm run bench:tokens [-- --languages DE_DE,JA_JP] [--rounds 1] [--json]
 *
 * The texts are question and choices: the corpus of the real size in 14 languages (re-spelled), the English originals,
 * and EXAMS in German and French where they stand beside the repository.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";
import { rowTexts } from "../src/answer/index.js";
import { loadCorpus } from "../src/data/index.js";
import { countTokens, loadTokenizer } from "../src/tokens/index.js";
import { vocabulary, writeCorpus } from "./corpus.js";
import { inTurn, median, runJson } from "./table.js";
import { englishRows, SHARED } from "./train/examples.js";

const TOKENIZERS = ["gemma-2", "roberta-base"] as const;
const WAYS = ["pieces", "library"] as const;

/** What a process came to. */
interface Counted {
  readonly texts: number;
  readonly tokens: number;
  /** Of each text's count. */
  readonly sha256: string;
  readonly seconds: number;
  readonly processorSeconds: number;
}
export interface TokensBench {
  readonly tokenizer: (typeof TOKENIZERS)[number];
  readonly texts: number;
  readonly tokens: number;
  readonly pieces: Pick<Counted, "seconds" | "processorSeconds">;
  readonly library: Pick<Counted, "seconds" | "processorSeconds">;
}

const examsRow = z.object({
  question: z.object({ stem: z.string(), choices: z.array(z.object({ text: z.string() })) }),
});

const here = fileURLToPath(import.meta.url);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    languages: { type: "string" },
    rounds: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    side: { type: "boolean", default: false },
  },
});
if (values.side) console.log(JSON.stringify(await count(positionals[0]!, positionals[1]!, positionals[2]!)));
else await bench();

async function textsOf(corpusFolder: string): Promise<string[]> {
  const { rows } = await loadCorpus({ source: corpusFolder });
  const exams = join(SHARED, "data", "exams", "de-fr.jsonl");
  const lines = existsSync(exams) ? readFileSync(exams, "utf8").trim().split("\n") : [];
  const others = lines.map((line) => examsRow.parse(JSON.parse(line)).question);
  return [
    ...rows.map(rowTexts["question-and-choices"]),
    ...englishRows().map(({ question, choices }) => [question, ...choices].join("\n")),
    ...others.map(({ stem, choices }) => [stem, ...choices.map(({ text }) => text)].join("\n")),
  ];
}

async function count(corpusFolder: string, name: string, way: string): Promise<Counted> {
  const texts = await textsOf(corpusFolder);
  const tokenizer = await loadTokenizer({ source: vocabulary(name) });
  const [before, began] = [process.cpuUsage(), performance.now()];
  const counts = way === "pieces" ? await countTokens(tokenizer, texts) : await tokenizer.count(texts, false);
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(before);
  return {
    texts: texts.length,
    tokens: counts.reduce((sum, one) => sum + one, 0),
    sha256: createHash("sha256").update(Int32Array.from(counts)).digest("hex"),
    seconds,
    processorSeconds: (user + system) / 1e6,
  };
}

async function bench(): Promise<void> {
  const corpusFolder = writeCorpus(values.languages);
  if (!corpusFolder || !TOKENIZERS.every((name) => existsSync(vocabulary(name)))) {
    console.error("no corpus or vocabularies: MMMLU_LAB_SHARED names the folder with data/ and tokenizers/");
    process.exit(2);
  }
  try {
    const sides = TOKENIZERS.flatMap((name) =>
      WAYS.map((way) => [
        `${name} ${way}`,
        () => runJson<Counted>(process.execPath, ["--import", "tsx", here, corpusFolder, name, way, "--side"]),
      ]),
    );
    const runs = await inTurn<Counted>(Number(values.rounds), Object.fromEntries(sides));
    const found = TOKENIZERS.map((tokenizer): TokensBench => {
      const [pieces, library] = WAYS.map((way) => runs[`${tokenizer} ${way}`]!) as [Counted[], Counted[]];
      const [first] = pieces as [Counted];
      if ([...pieces, ...library].some(({ sha256 }) => sha256 !== first.sha256))
        throw new Error(`${tokenizer}: a text's count by pieces is not the library's`);
      const middle = (all: readonly Counted[]): TokensBench["pieces"] => ({
        seconds: median(all.map(({ seconds }) => seconds)),
        processorSeconds: median(all.map(({ processorSeconds }) => processorSeconds)),
      });
      return {
        ...{ tokenizer, texts: first.texts, tokens: first.tokens },
        ...{ pieces: middle(pieces), library: middle(library) },
      };
    });
    if (values.json) console.log(JSON.stringify(found));
    else
      for (const { tokenizer, texts, tokens, ...ways } of found) {
        console.log(`${tokenizer}: ${texts} texts, ${tokens} tokens, each text's count the same both ways`);
        for (const way of WAYS)
          console.log(
            `  by ${way.padEnd(7)} ${ways[way].seconds.toFixed(1)} s, ` +
              `${ways[way].processorSeconds.toFixed(1)} s of processor`,
          );
      }
  } finally {
    rmSync(corpusFolder, { recursive: true, force: true });
  }
}
