import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Command } from "commander";
import { messageOf, UserError } from "../base/errors.js";
import { writeWhole } from "../base/files.js";
import { agrees, presets, reproductionOf, runExperiment } from "../experiments/index.js";
import { type ReproducedExperiment, reproductionReport, written } from "../report/index.js";
import { configurationOf, contextOf, type ExperimentFlags, withExperimentFlags } from "./context.js";

interface ReproduceFlags extends ExperimentFlags {
  readonly run: boolean;
  readonly json?: boolean;
}

export function reproduceCommand(): Command {
  return withExperimentFlags(
    new Command("reproduce")
      .description("run the published experiments and put their figures beside the published ones")
      .argument("[experiment...]", "which of them (default all)")
      .option("--no-run", "run nothing: read the runs that are there")
      .option("--json", "print the figures as JSON"),
    { out: "the folder that holds the runs (default outputs)" },
  ).action(reproduce);
}

async function reproduce(given: string[], flags: ReproduceFlags): Promise<void> {
  const outputs = flags.out ?? "outputs";
  const found: ReproducedExperiment[] = [];
  const missing: { experiment: string; reason: string }[] = [];
  for (const experiment of given.length ? given : presets.map(({ name }) => name)) {
    const folder = join(outputs, experiment);
    try {
      const configuration = await configurationOf(experiment, flags);
      if (flags.run && !existsSync(join(folder, "manifest.json"))) {
        const context = contextOf({ ...flags, out: folder });
        try {
          await runExperiment(configuration, context);
        } finally {
          context.done();
        }
      }
      const reproduction = await reproductionOf(experiment, folder);
      found.push({ ...reproduction, figures: reproduction.figures.map((figure) => ({ ...figure, agrees: agrees(figure) })) });
    } catch (error) {
      // One experiment that cannot run here (no server, no weights) must not keep the others from running.
      if (!(error instanceof UserError) || error.exitCode === 2) throw error;
      missing.push({ experiment, reason: [messageOf(error), error.hint].filter(Boolean).join(" ") });
    }
  }
  const report = join(outputs, "reproduction.html");
  writeWhole(report, reproductionReport(found, missing));
  if (flags.json) process.stdout.write(`${JSON.stringify({ experiments: found, missing }, null, 2)}\n`);
  else print(found, missing, report);
  if (missing.length) process.exitCode = 1;
}

function print(found: readonly ReproducedExperiment[], missing: readonly { experiment: string; reason: string }[], report: string): void {
  for (const one of found) {
    process.stdout.write(`${one.experiment}${one.comparable ? "" : " (on the embedded sample: not comparable)"}\n`);
    const width = Math.max(...one.figures.map(({ name }) => name.length));
    for (const figure of one.figures) {
      const verdict = !one.comparable || figure.agrees === undefined ? "" : figure.agrees ? "  agrees" : "  differs";
      process.stdout.write(`  ${figure.name.padEnd(width)}  published ${written(figure.published, figure.unit).padStart(12)}  measured ${written(figure.measured, figure.unit).padStart(12)}${verdict}\n`);
    }
    for (const line of one.protocolDifferences) process.stdout.write(`  protocol: ${line}\n`);
  }
  for (const { experiment, reason } of missing) process.stdout.write(`${experiment}: not run: ${reason}\n`);
  process.stdout.write(`report: ${pathToFileURL(resolve(report)).href}\n`);
}
