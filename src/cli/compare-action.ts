import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UsageError } from "../base/errors.js";
import { writeOutput } from "../base/folders.js";
import { compareRuns, type PairedComparison } from "../evaluate/index.js";
import { keysApartIn, keysApartInWords, loadResults, type Result, withoutKeysApart } from "../exchange/index.js";
import { askedApart, loadReports, NOT_ALIKE, percent, points } from "../report/index.js";
import { print } from "./print.js";

export interface CompareFlags {
  readonly out: string;
  readonly seed: number;
  readonly offline?: boolean;
  readonly json?: boolean;
}

export async function compareAction(references: string[], flags: CompareFlags): Promise<void> {
  if (references.length < 2)
    throw new UsageError("a comparison needs two runs or more", {
      hint: "mmmlu compare outputs/a outputs/b, or outputs/a:baseline outputs/a:final",
    });
  const { runs, notes } = await comparableRuns(await loadResults(references), flags);
  const apart = [...askedApart(runs), ...notes];
  const comparison = compareRuns(runs, { seed: flags.seed });
  const { comparisonReport } = await loadReports();
  writeOutput(flags.out, comparisonReport(comparison, apart).html);
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ ...comparison, askedApart: apart }, null, 2)}\n`);
    return;
  }
  if (apart.length) print(NOT_ALIKE, ...apart.map((line) => `  ${line}`));
  print(
    `${comparison.rows} rows of ${comparison.questions} questions that all ${comparison.runs.length} runs ` +
      `answered`,
  );
  for (const run of comparison.runs) {
    print(
      `${run.name}: ${percent(run.statistics.overall.accuracy)} (95 %: ` +
        `${run.statistics.clustered.interval.map((bound) => percent(bound)).join(" to ")}), ${run.leftOut} ` +
        `rows left out`,
    );
  }
  for (const pair of comparison.pairs) print(pairInWords(pair, comparison.pairs.length));
  print(`report: ${pathToFileURL(resolve(flags.out)).href}`);
}

/**
 * Results of which each row has one id and one key. Where all are of ours the ids are; else what finds rows by their
 * texts is loaded.
 */
async function comparableRuns(
  results: readonly Result[],
  flags: CompareFlags,
): Promise<{ runs: readonly Result[]; notes: readonly string[] }> {
  if (results.every(({ manifest }) => manifest)) {
    const keysApart = keysApartIn(results);
    return { runs: withoutKeysApart({ results, keysApart }), notes: keysApartInWords(keysApart) };
  }
  const { comparableOf } = await import("../experiments/index.js");
  const { contextOf } = await import("./context.js");
  const context = contextOf({ set: [], offline: flags.offline });
  const comparable = await comparableOf(results, context).finally(() => context.done());
  return { runs: withoutKeysApart(comparable), notes: comparable.notes };
}

/** A pair of runs in a line. @param pairs how many were compared, which Holm's correction is for */
export function pairInWords(pair: PairedComparison, pairs: number): string {
  const moved = pair.subjects.filter((one) => one.moved).map((one) => `${one.subject} (${points(one.difference)})`);
  const holm =
    pairs > 1 ? `, ${pair.adjustedClusteredPValue.toPrecision(3)} after Holm's correction over ${pairs} pairs` : "";
  return (
    `${pair.second} minus ${pair.first}: ${points(pair.difference)} (95 %: ` +
    `${pair.interval.map((bound) => points(bound, false)).join(" to ")} points); McNemar p = ` +
    `${pair.pValue.toPrecision(3)}, by question ${pair.clusteredPValue.toPrecision(3)}${holm}; ` +
    `subjects that moved: ${moved.length ? moved.join(", ") : "none"}`
  );
}
