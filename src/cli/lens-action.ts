import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf, UsageError } from "../base/errors.js";
import { writeOutput } from "../base/folders.js";
import { type LensLabels, lensOf } from "../evaluate/index.js";
import { culturalLabels, labelsOfTexts, reduxErrors, rowsOfRun } from "../experiments/index.js";
import { lensFiles, loadComparedRuns, loadReports, percent, points, standalone } from "../report/index.js";
import { contextOf } from "./context.js";
import { print } from "./print.js";

export interface LensFlags {
  readonly out?: string;
  readonly reference?: string;
  readonly falseAlarms: number;
  readonly redux?: string;
  readonly english: string;
  readonly global?: string;
  readonly texts: boolean;
  readonly offline?: boolean;
  readonly json?: boolean;
}

export async function lens(references: string[], flags: LensFlags): Promise<void> {
  const runs = await loadComparedRuns(references);
  const context = contextOf({ set: [], offline: flags.offline });
  try {
    const labels: LensLabels = {
      ...(flags.texts ? await textLabels(runs, context) : {}),
      ...(flags.redux ? { errors: await reduxErrors(flags.redux, flags.english, context) } : {}),
      ...(flags.global ? { cultural: await culturalLabels(flags.global, context) } : {}),
    };
    const found = lensOf(runs, { reference: flags.reference, falseAlarms: flags.falseAlarms, labels });
    const out = flags.out ?? join(folderOf(references[0]!), "lens");
    const report = (await loadReports()).lensReport(found);
    for (const figure of report.figures) writeOutput(join(out, "figures", `${figure.name}.svg`), standalone(figure));
    for (const { name, text } of lensFiles(found, labels)) writeOutput(join(out, name), text);
    writeOutput(join(out, "lens.html"), report.html);
    if (flags.json) {
      const { table: _table, ...rest } = found;
      process.stdout.write(`${JSON.stringify(rest, null, 2)}\n`);
      return;
    }
    printLens(found);
    print(`report: ${pathToFileURL(resolve(out, "lens.html")).href}`);
  } finally {
    context.done();
  }
}

/** What the rows' texts tell; where they are not to be had, that is said and the rest goes on. */
async function textLabels(
  runs: Awaited<ReturnType<typeof loadComparedRuns>>,
  context: ReturnType<typeof contextOf>,
): Promise<LensLabels> {
  for (const run of runs) {
    if (!run.manifest) continue;
    try {
      const { rows, tokenizer } = await rowsOfRun(run.manifest, context);
      const ids = new Set(run.predictions.map(({ id }) => id));
      return await labelsOfTexts(
        rows.filter(({ id }) => ids.has(id)),
        await tokenizer(),
        context,
      );
    } catch (error) {
      if (context.signal?.aborted) throw error;
      context.progress.say(`the texts of ${run.name} cannot be read: ${messageOf(error)}`);
    }
  }
  context.progress.say("nothing is told by length, unknown tokens and duplicates (--no-texts leaves this out)");
  return {};
}

/** The folder in front of a stage's name. */
function folderOf(reference: string): string {
  const colon = reference.lastIndexOf(":");
  const folder = colon > 1 && !/[\\/]/.test(reference.slice(colon)) ? reference.slice(0, colon) : reference;
  if (folder === "") throw new UsageError("a run's folder has no name", { hint: "Give a folder such as outputs/eda." });
  return folder;
}

function printLens(found: ReturnType<typeof lensOf>): void {
  const number = (value: number): string => value.toLocaleString("en");
  print(
    `${number(found.questions)} questions in ${found.languages.length} languages; gaps are to ${found.reference} ` +
      `(${found.referenceWhy})`,
  );
  for (const run of found.runs) {
    const { rightIn } = run;
    const share = (count: number): string => percent(count / Math.max(1, rightIn.n));
    print(
      `${run.name}: accuracy ${percent(run.all.accuracy)}, on clean rows ${percent(run.clean.all.accuracy)}; right ` +
        `in all languages ${share(rightIn.counts.at(-1)!)}, in none ${share(rightIn.counts[0]!)}, in one only ` +
        `${share(rightIn.counts[1]!)}`,
    );
    for (const gap of run.gaps)
      print(
        `  ${gap.language}: ${points(gap.difference)} (95 %: ` +
          `${gap.interval.map((bound) => points(bound, false)).join(" to ")}; p ${gap.adjustedPValue.toPrecision(2)} ` +
          `after Holm's correction)`,
      );
  }
  print(
    found.suspects
      ? `${number(found.suspects.flagged)} of ${number(found.suspects.rows)} rows are suspect in one language (at ` +
          `most ${percent(found.suspects.falseAlarms, 0)} of them false alarms)`
      : "suspect translations need three languages or more",
  );
  print(
    `${number(found.keyDifferences.length)} questions with keys that differ, ${number(found.doubtfulKeys.length)} ` +
      `with a key on which nearly all answers disagree`,
  );
}
