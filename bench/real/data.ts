import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "../../src/base/files.js";
import { englishRows, SHARED } from "../train/examples.js";

/** English MMLU as `OUT/mmlu-en` in MMMLU's layout (`OUT/mmlu-en-twice`: as German and French); EXAMS in German and French as `OUT/exams.jsonl`, own rows. */
export async function bench([out]: string[]): Promise<void> {
  if (out === undefined) {
    console.error("usage: npm run bench:real -- data OUT");
    process.exit(2);
  }
  const rows = englishRows();
  const lines = rows.map(({ id, question, choices, answer }) => {
    const [subject, index] = id.split("/") as [string, string];
    return [index, question, ...choices, answer, subject].map(cell).join(",");
  });
  const english = join(out, "mmlu-en");
  const csv = [",Question,A,B,C,D,Answer,Subject", ...lines, ""].join("\n");
  writeWhole(join(english, "test", "mmlu_EN-US.csv"), csv);
  console.log(`${english}: ${rows.length} rows`);
  const twice = join(out, "mmlu-en-twice");
  for (const language of ["DE-DE", "FR-FR"]) writeWhole(join(twice, "test", `mmlu_${language}.csv`), csv);
  console.log(`${twice}: the same rows in the place of German and of French, to time what is made for these`);

  const published = readFileSync(join(SHARED, "data", "exams", "de-fr.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map(ownRow);
  // A key that is none of the row's options.
  const exams = published.filter(({ answer }) => answer !== undefined);
  const path = join(out, "exams.jsonl");
  writeWhole(path, exams.map((row) => `${JSON.stringify(row)}\n`).join(""));
  console.log(`${path}: ${exams.length} rows; ${published.length - exams.length} left out, whose key is no option`);
}

const cell = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

interface ExamsRow {
  readonly id: string;
  readonly question: {
    readonly stem: string;
    readonly choices: readonly { readonly text: string; readonly label: string }[];
  };
  readonly answerKey: string;
  readonly info: { readonly subject: string; readonly language: string };
}

/** A row of EXAMS with columns whose names tell what they hold; options in the order of their letters. */
function ownRow(line: string): Record<string, unknown> {
  const { id, question, answerKey, info } = JSON.parse(line) as ExamsRow;
  const options = [...question.choices].sort((a, b) => (a.label < b.label ? -1 : 1));
  return {
    key: id,
    question: question.stem,
    options: options.map(({ text }) => text),
    answer: "ABCDE"[options.findIndex(({ label }) => label === answerKey)],
    subject: info.subject,
    language: { German: "de", French: "fr" }[info.language],
  };
}
