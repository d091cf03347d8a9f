import type { Command } from "commander";
import { gigabytes } from "../base/memory.js";
import { type DeviceReport, describeAdapter, deviceReports, type ExperimentFit } from "../experiments/index.js";
import { print } from "./print.js";

export function devicesCommand(command: Command): Command {
  return command.option("--json", "as JSON").action(async ({ json }: { json?: boolean }) => {
    const reports = await deviceReports();
    if (json) process.stdout.write(`${JSON.stringify(reports, null, 2)}\n`);
    else print(...reports.map(page).join("\n\n").split("\n"));
  });
}

function page({ name, summary, opens, why, hint, ...report }: DeviceReport): string {
  const memory = report.memory === undefined ? "not told by the system" : `${gigabytes(report.memory)} free`;
  const rows: (readonly [string, string])[] = [
    ["is there", opens ? "yes" : `no: ${why}`],
    ...(hint === undefined ? [] : [["to do", hint] as const]),
    ...report.adapters.map((adapter) => ["adapter", describeAdapter(adapter)] as const),
    ...(name !== "cpu" && report.adapters.length === 0 ? [["adapter", "the system tells of none"] as const] : []),
    ["memory", memory],
    ...(report.bindingLimit === undefined ? [] : [["largest array", gigabytes(report.bindingLimit)] as const]),
    ["training", report.notForTraining === undefined ? "yes" : `no: ${report.notForTraining}`],
    ...report.experiments.map((one) => [one.experiment, needLine(one)] as const),
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  return [`${name}: ${summary}`, ...rows.map(([label, text]) => `  ${label.padEnd(width)}  ${text}`)].join("\n");
}

function needLine({ need, fits, why }: ExperimentFit): string {
  const parts: string[] = [];
  if (need) {
    const { expanded, mergeBatches } = need.plan;
    const how = [
      ...(expanded ? ["4-bit weights expanded"] : []),
      ...(mergeBatches ? ["a step's batches together"] : []),
    ];
    const largest = need.largest.bytes > 0 ? `, largest array ${gigabytes(need.largest.bytes)}` : "";
    parts.push(`${gigabytes(need.memory)}${how.length > 0 ? ` (${how.join(", ")})` : ""}${largest}`);
  }
  parts.push(fits === undefined ? "whether it fits is not known" : fits ? "fits" : "does not fit");
  if (why !== undefined) parts.push(why);
  return parts.join(": ");
}
