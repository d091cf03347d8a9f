import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Command, Option } from "commander";

import { writeOutput } from "../base/folders.js";
import { type Explanation, explainDifference, loadResults } from "../exchange/index.js";
import {
  askExchanged,
  askImported,
  comparableOf,
  type Exchanged,
  type ReadingName,
  readingNames,
  requireAskable,
} from "../experiments/index.js";
import { loadReports, percent, points, standalone } from "../report/index.js";
import { contextOf } from "./context.js";
import { numberOption } from "./numbers.js";
import { print } from "./print.js";

interface ExplainFlags {
  readonly out: string;
  readonly answerExtraction?: ReadingName;
  readonly ask?: number | true;
  readonly offline?: boolean;
  readonly json?: boolean;
}

export function explainCommand(command: Command): Command {
  return command
    .argument("<first>", "a run's folder, or another tool's result (lm-evaluation-harness, Inspect)")
    .argument("<second>", "what it is held against")
    .addOption(
      new Option(
        "--answer-extraction <name>",
        "by which reading both are read (default: the first's own, or robust)",
      ).choices([...readingNames]),
    )
    .option(
      "--ask [rows]",
      "ask so many of the deciding rows (default 20) again under exchanged settings",
      numberOption((value) => Number.isInteger(value) && value > 0, "rows are a whole number from 1"),
    )
    .option("--offline", "no network: rows that are read anew must be in the cache")
    .option("--out <folder>", "where page and figure go", "outputs/explained")
    .option("--json", "print the parts as JSON")
    .action(explain);
}

async function explain(first: string, second: string, flags: ExplainFlags): Promise<void> {
  const context = contextOf({ set: [], offline: flags.offline });
  try {
    const results = await loadResults([first, second]);
    // Before anything that takes time.
    if (flags.ask !== undefined) requireAskable(results);
    const comparable = await comparableOf(results, context, { texts: true });
    const [a, b] = comparable.results;
    const found = explainDifference(a!, b!, { reading: flags.answerExtraction, turned: comparable.turned });
    const asked =
      flags.ask === undefined
        ? undefined
        : await (a!.manifest && b!.manifest ? askExchanged : askImported)(a!, b!, found, context, {
            rows: flags.ask === true ? 20 : flags.ask,
            turned: comparable.turned,
          });
    const report = (await loadReports()).explainReport(found, comparable.notes, asked);
    for (const figure of report.figures) writeOutput(join(flags.out, `${figure.name}.svg`), standalone(figure));
    writeOutput(join(flags.out, "explained.html"), report.html);
    if (flags.json) process.stdout.write(`${JSON.stringify({ ...found, asked, notes: comparable.notes }, null, 2)}\n`);
    else {
      print(...lines(found, comparable.notes, asked));
      print(`report: ${pathToFileURL(resolve(flags.out, "explained.html")).href}`);
    }
  } finally {
    context.done();
  }
}

function lines(found: Explanation, notes: readonly string[], asked: Exchanged | undefined): string[] {
  const { first, second } = found;
  const width = Math.max(...found.parts.map(({ title }) => title.length), "together".length);
  const line = (title: string, value: number, rest: string): string =>
    `  ${title.padEnd(width)}  ${points(value, false).padStart(6)}  ${rest}`;
  const between = (interval: readonly [number, number] | undefined): string =>
    interval ? `(95 %: ${interval.map((bound) => points(bound, false)).join(" to ")})  ` : "";
  return [
    `${first.name} ${percent(first.accuracy)} of ${first.n.toLocaleString("en")} (${first.tool}), ${second.name} ` +
      `${percent(second.accuracy)} of ${second.n.toLocaleString("en")} (${second.tool}): ${points(found.difference)}`,
    ...found.parts.map((part) => line(part.title, part.value, `${between(part.interval)}${part.said}`)),
    line("together", found.difference, ""),
    ...(found.factors.length
      ? ["what differs:", ...found.factors.map(({ factor, what }) => `  ${factor}: ${what}`)]
      : ["nothing differs that either of both says"]),
    ...found.told,
    ...found.untold,
    ...(asked
      ? [
          `${asked.rows} deciding rows asked again under exchanged settings:`,
          ...asked.parts.map((part) => line(part.title, part.value, between(part.interval))),
          ...asked.said,
        ]
      : []),
    ...notes,
  ];
}
