/*
 * How the statistics cover, by simulation: the tables of docs/statistics.md.
 *
 *     npm run simulate:coverage [-- repeats [title]]
 *
 * A title, or a part of one, makes that table alone.
 */
import {
  accuracyCells,
  asymmetricCells,
  bootstrapCells,
  type Cell,
  LANGUAGES,
  lowestShare,
  macroCells,
  pairedCells,
  QUESTIONS,
  testCells,
} from "./coverage.js";

const repeats = Number(process.argv[2] ?? 1000);
if (!Number.isInteger(repeats) || repeats < 10) throw new Error("repeats: a whole number from 10");
const only = process.argv[3] ?? "";
const percent = (share: number): string => (100 * share).toFixed(1);

/** One table: a row for each number of questions, a column for each number of languages. */
function table(
  title: string,
  rows: readonly number[],
  cells: (questions: number, languages: number) => Cell[],
  times: (questions: number) => number = (questions) => (questions >= 1000 ? repeats / 4 : repeats),
): void {
  if (!title.includes(only)) return;
  console.log(`\n${title}\n`);
  console.log(`| questions | ${LANGUAGES.map((languages) => `× ${languages}`).join(" | ")} |`);
  console.log(`| --- |${" --- |".repeat(LANGUAGES.length)}`);
  const worst: string[] = [];
  for (const questions of rows) {
    const found = LANGUAGES.map((languages) => lowestShare(cells(questions, languages), times(questions), questions));
    console.log(
      `| ${questions} | ${found.map(({ lowest, mean }) => `${percent(lowest)} / ${percent(mean)}`).join(" | ")} |`,
    );
    const least = found.reduce((a, b) => (b.lowest < a.lowest ? b : a));
    worst.push(`${questions}: ${percent(least.lowest)} in ${least.where}`);
  }
  console.log(`\nlowest, by questions:\n  ${worst.join("\n  ")}`);
}

console.log(
  `Share of samples, in %: lowest of all populations / mean; ${repeats} repeats a cell, the lowest cell's ten ` +
    `times as many.`,
);
table("clusteredInterval covers", QUESTIONS, accuracyCells);
table("macroInterval over 20 subjects of so many questions each covers", [1, 2, 5, 10, 20], (q, l) =>
  macroCells(20, q, l),
);
table("macroInterval over 3 subjects of so many questions each covers", [1, 2, 5, 10, 20], (q, l) =>
  macroCells(3, q, l),
);
table("pairedDifferenceInterval covers", QUESTIONS, pairedCells);
const quick = () => repeats / 4;
table("pairedBootstrap (200 resamples) covers", [5, 20, 50], bootstrapCells, quick);
table("clusteredMcnemarExact keeps a true null hypothesis at 0.05", [5, 20, 50, 200], (q, l) =>
  testCells(q, l, "question"),
);
for (const [what, by] of [
  ["clusteredMcnemarExact keeps 0.05", "test"],
  ["pairedDifferenceInterval covers", "interval"],
] as const)
  table(`${what} where the changes are not symmetric`, [5, 20, 50, 200], (q, l) => asymmetricCells(q, l, by));
table("mcnemarExact, by row, keeps a true null hypothesis at 0.05", [5, 20, 50, 200], (q, l) => testCells(q, l, "row"));
