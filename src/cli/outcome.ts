import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { readText } from "../base/text.js";
import { unreadableInWords } from "../evaluate/index.js";
import type { RunOutcome, StageOutcome } from "../experiments/index.js";
import { percent, titleOfStage } from "../report/index.js";
import { print } from "./print.js";
import { terminalWidth, textTable } from "./text-table.js";

/** Columns of a terminal below which the intervals are written shorter. */
const NARROW = 50;

/** Languages that the table names; the report has all. */
const LANGUAGES = 20;

/** The last lines of a run: what came out, and where to look; as JSON with all of `metrics.json`. */
export async function tellOutcome(outcome: RunOutcome, { json }: { json?: boolean } = {}): Promise<void> {
  const { folder, report, headline, stages = [] } = outcome;
  if (json) {
    const metrics: unknown = JSON.parse(await readText(join(folder, "metrics.json")));
    process.stdout.write(`${JSON.stringify({ folder, report, headline, metrics }, null, 2)}\n`);
    return;
  }
  print(...headline, ...stages.flatMap((stage) => stageLines(stage, terminalWidth())));
  print(`report: ${pathToFileURL(resolve(report)).href}`);
}

/** A stage's answers as a table: all rows, languages, categories; and why replies were unreadable. */
export function stageLines({ stage, metrics, statistics }: StageOutcome, width: number): string[] {
  const { overall, clustered, languages, categories, unreadableBy } = statistics;
  const row = (name: string, n: number, accuracy: number, [low, high]: readonly [number, number]): string[] => [
    name,
    n.toLocaleString("en"),
    percent(accuracy),
    width < NARROW ? `${percent(low).replace(" %", "")}–${percent(high)}` : `${percent(low)} to ${percent(high)}`,
  ];
  const rows = [
    row("all", overall.n, overall.accuracy, clustered.interval),
    ...(languages.length > 1
      ? languages.slice(0, LANGUAGES).map((one) => row(one.language, one.n, one.accuracy, one.clusteredInterval))
      : []),
    ...(categories.length > 1
      ? categories.map((one) => row(one.category, one.n, one.accuracy, one.clusteredInterval))
      : []),
  ];
  const columns = [
    { head: titleOfStage(stage) },
    { head: "rows", right: true },
    { head: "accuracy", right: true },
    { head: "95 %", right: true },
  ];
  return [
    "",
    ...textTable(columns, rows, width),
    ...(languages.length > LANGUAGES ? [`${languages.length - LANGUAGES} more languages stand in the report`] : []),
    metrics.unreadable
      ? `unreadable: ${metrics.unreadable.toLocaleString("en")} (${unreadableInWords(unreadableBy)}), counted as wrong`
      : "unreadable: none",
    "",
  ];
}
