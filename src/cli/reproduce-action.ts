import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { hashOf } from "../base/canonical.js";
import { messageOf, UsageError, UserError } from "../base/errors.js";
import { writeOutput } from "../base/folders.js";
import { didYouMean } from "../base/nearest.js";
import { compareRuns } from "../evaluate/index.js";
import {
  agrees,
  type ExperimentConfiguration,
  identityOf,
  publishedPresets,
  reproductionOf,
  runExperiment,
  SAMPLE,
} from "../experiments/index.js";
import { readManifest } from "../record/index.js";
import {
  byGroup,
  groupInWords,
  loadComparedRuns,
  loadReports,
  type ReproducedExperiment,
  written,
} from "../report/index.js";
import { pairInWords } from "./compare-action.js";
import { configurationOf, contextOf } from "./context.js";
import type { ExperimentFlags } from "./experiment-flags.js";
import { print } from "./print.js";

export interface ReproduceFlags extends ExperimentFlags {
  readonly all?: boolean;
  readonly run: boolean;
  readonly json?: boolean;
}

export async function reproduce(given: string[], flags: ReproduceFlags): Promise<void> {
  const outputs = flags.out ?? "outputs";
  const found: ReproducedExperiment[] = [];
  const compared = new Map<string, string>();
  const missing: { experiment: string; reason: string }[] = [];
  const names = publishedPresets().map(({ name }) => name);
  const unknown = given.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new UsageError(`"${unknown}" is no published experiment${didYouMean(unknown, names)}`, {
      hint: `Those are ${names.join(", ")}.`,
    });
  if (flags.all && given.length)
    throw new UsageError("--all and an experiment's name say two things", { hint: "Give one of them." });
  const asked = given.length ? given : names;
  for (const [place, experiment] of asked.entries()) {
    const folder = join(outputs, experiment);
    const context = contextOf({ ...flags, out: folder });
    context.progress.say(`${place + 1} of ${asked.length}: ${experiment}`);
    try {
      const configuration = await configurationOf(experiment, flags);
      if (flags.run && (await mustRun(experiment, folder, configuration, flags)))
        await runExperiment(configuration, context);
      const reproduction = await reproductionOf(experiment, folder);
      found.push({
        ...reproduction,
        figures: reproduction.figures.map((figure) => ({ ...figure, agrees: agrees(figure) })),
      });
      if (configuration.kind === "finetune" && configuration.evaluation.baseline)
        compared.set(experiment, await beforeAndAfter(folder));
    } catch (error) {
      // One experiment that cannot run here (no server, no weights) must not keep the others from running; Ctrl-C means
      // them all.
      if (!(error instanceof UserError) || error.exitCode === 2 || context.signal?.aborted) throw error;
      missing.push({ experiment, reason: [messageOf(error), error.hint].filter(Boolean).join(" ") });
    } finally {
      context.done();
    }
  }
  const report = join(outputs, "reproduction.html");
  const { reproductionReport } = await loadReports();
  writeOutput(report, reproductionReport(found, missing));
  if (flags.json) process.stdout.write(`${JSON.stringify({ experiments: found, missing }, null, 2)}\n`);
  else tell(found, compared, missing, report);
  if (missing.length) process.exitCode = 1;
}

/** A fine-tuned model held against itself before training: a page beside the run's report, and a line of it. */
async function beforeAndAfter(folder: string): Promise<string> {
  const comparison = compareRuns(await loadComparedRuns([`${folder}:baseline`, `${folder}:final`]));
  const { comparisonReport } = await loadReports();
  writeOutput(join(folder, "before-and-after.html"), comparisonReport(comparison).html);
  return pairInWords(comparison.pairs[0]!, 1);
}

/**
 * Whether there is no finished run to read. A run of another protocol counts, its differences are named; but not where
 * flags set keys that the run in the folder has otherwise, or ask for the sample and it is none: running then says so.
 */
async function mustRun(
  experiment: string,
  folder: string,
  configuration: ExperimentConfiguration,
  flags: ReproduceFlags,
): Promise<boolean> {
  const there = flags.fresh ? undefined : await readManifest(folder).catch(() => undefined);
  if (!there) return true;
  const sample = configuration.data.source === SAMPLE;
  if (sample && !there.sample) return true;
  const unset = await configurationOf(experiment, { set: [], sample });
  const asked = hashOf(identityOf(configuration));
  return asked !== hashOf(identityOf(unset)) && asked !== there.configurationHash;
}

function tell(
  found: readonly ReproducedExperiment[],
  compared: ReadonlyMap<string, string>,
  missing: readonly { experiment: string; reason: string }[],
  report: string,
): void {
  for (const one of found) {
    print(`${one.experiment}${one.comparable ? "" : " (on the embedded sample: not comparable)"}`);
    const groups = byGroup(one.figures);
    const alone = groups.get(undefined) ?? [];
    const width = Math.max(...alone.map(({ name }) => name.length));
    for (const figure of alone) {
      const verdict = !one.comparable || figure.agrees === undefined ? "" : figure.agrees ? "  agrees" : "  differs";
      print(
        `  ${figure.name.padEnd(width)}  published ${written(figure.published, figure.unit).padStart(12)}  ` +
          `measured ${written(figure.measured, figure.unit).padStart(12)}${verdict}`,
      );
    }
    for (const [group, figures] of groups)
      if (group !== undefined)
        process.stdout.write(`  ${group}: ${groupInWords(figures, one.comparable)}; each stands in the report\n`);
    if (compared.has(one.experiment)) print(`  ${compared.get(one.experiment)}`);
    for (const line of one.protocolDifferences) print(`  protocol: ${line}`);
  }
  for (const { experiment, reason } of missing) print(`${experiment}: not run: ${reason}`);
  print(`report: ${pathToFileURL(resolve(report)).href}`);
}
