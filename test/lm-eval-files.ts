import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadCorpus } from "../src/data/index.js";
import { openDevice } from "../src/graph/index.js";
import { createTinyDecoder, gemma3 } from "../src/models/index.js";
import type { Row } from "../src/tasks/index.js";
import { loadTokenizer, makeTokenizer } from "../src/tokens/index.js";

/*
 * Data in MMMLU's layout and a tiny model, the same on every machine: what lm-evaluation-harness and ours are both given
 * (reference/harness.py, test/lm-eval.test.ts).
 *
 *   node --import tsx test/lm-eval-files.ts FOLDER
 */

export const LM_EVAL_LANGUAGES = ["DE_DE", "SW_KE"];

/** Rows of each subject; the last subject has fewer. */
const ROWS = 7;

/** Cells that programs read each in their way. */
const odd = (row: Row): Row => {
  if (row.subject === "anatomy" && row.index === 0) return { ...row, choices: ["None", "NA", " null", "nan"] };
  if (row.subject === "anatomy" && row.index === 1) return { ...row, question: ` "${row.question}"\n{braces}, \\n \t` };
  if (row.subject === "virology" && row.index === 2) return { ...row, choices: ["1", "2.0", "{A}", "N/A "] };
  return row;
};

const cell = (text: string | number): string => `"${String(text).replaceAll('"', '""')}"`;

/** Writes `data/test/mmlu_XX-YY.csv` and `model/`. */
export async function writeLmEvalFiles(folder: string): Promise<void> {
  const { rows } = await loadCorpus({ source: "sample", languages: LM_EVAL_LANGUAGES });
  const kept = rows.filter(({ index, subject }) => index < (subject === "world_religions" ? ROWS - 1 : ROWS)).map(odd);
  mkdirSync(join(folder, "data", "test"), { recursive: true });
  for (const language of LM_EVAL_LANGUAGES) {
    const lines = kept
      .filter((row) => row.language === language)
      .map(({ index, question, choices, answer, subject }) => {
        const debris = language === "SW_KE" && subject === "anatomy" ? "_test.csv_sw-KE.csv" : "";
        return [index, question, ...choices, answer, subject + debris].map(cell).join(",");
      });
    const path = join(folder, "data", "test", `mmlu_${language.replace("_", "-")}.csv`);
    writeFileSync(path, `${[",Question,A,B,C,D,Answer,Subject", ...lines].join("\n")}\n`);
  }
  const made = join(folder, "tokenizer");
  const texts = kept.flatMap(({ question, choices, subject }) => [question, ...choices, subject.replaceAll("_", " ")]);
  const heading = "The following are multiple choice questions (with answers) about (German). (Swahili).";
  makeTokenizer([heading, ...texts, "A. B. C. D.\nAnswer:"], made, { kind: "gemma", size: 1500 });
  const tokenizer = await loadTokenizer({ source: made });
  const device = await openDevice("cpu", { threads: 1 });
  const model = await createTinyDecoder(
    device,
    gemma3,
    { vocabSize: tokenizer.vocabularySize, maxPositionEmbeddings: 2048 },
    20,
    { tokenizer: ["tokenizer.json", "tokenizer_config.json"].map((name) => join(made, name)) },
  );
  await model.save(join(folder, "model"));
  await model.dispose();
  await device.close();
}

if (process.argv[1]?.endsWith("lm-eval-files.ts") && process.argv[2]) await writeLmEvalFiles(process.argv[2]);
