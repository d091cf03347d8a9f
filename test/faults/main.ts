import { parseArgs } from "node:util";
import type { FaultOptions, Outcome } from "./common.js";
import { writeTable } from "./table.js";

/*
 * `npm run test:faults -- [PART…] [--share 0.1] [--seed 1] [--no-table]`: makes faults happen, counts them, and writes
 * the table of docs/reliability.md. Each part is a module of that name; without one all are run.
 */
const PARTS: Readonly<Record<string, () => Promise<(options: FaultOptions) => Promise<Outcome[]>>>> = {
  "kill-download": async () => (await import("./kills.js")).killDownload,
  "kill-report": async () => (await import("./kills.js")).killReport,
  "kill-evaluation": async () => (await import("./kills.js")).killEvaluation,
  "kill-training": async () => (await import("./kills.js")).killTraining,
  "kill-exports": async () => (await import("./kills.js")).killExports,
  "disks-exports": async () => (await import("./disks.js")).exportDisks,
  disks: async () => (await import("./disks.js")).disks,
  server: async () => (await import("./server.js")).hostileServer,
  files: async () => (await import("./files.js")).hostileFiles,
  serving: async () => (await import("./serving.js")).ourServers,
  secrets: async () => (await import("./secrets.js")).secrets,
};

await import("../environment.js");
const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    share: { type: "string", default: process.env.FAULTS_SHARE ?? "1" },
    seed: { type: "string", default: process.env.FAULTS_SEED ?? "1" },
    table: { type: "boolean", default: true },
  },
});
const options: FaultOptions = {
  share: Number(values.share),
  seed: Number(values.seed),
  say: (line) => process.stderr.write(`${line}\n`),
};
const unknown = positionals.filter((name) => !Object.hasOwn(PARTS, name));
if (unknown.length > 0 || !(options.share > 0 && options.share <= 1) || !Number.isSafeInteger(options.seed)) {
  process.stderr.write(`Parts: ${Object.keys(PARTS).join(", ")}; --share above 0, at most 1; --seed a whole number\n`);
  process.exit(2);
}
let faults = 0;
for (const name of positionals.length > 0 ? positionals : Object.keys(PARTS)) {
  const began = performance.now();
  const outcomes = await (await (PARTS[name] as (typeof PARTS)[string])())(options);
  options.say(`${name}: ${((performance.now() - began) / 60_000).toFixed(1)} minutes`);
  for (const { what, count, faults: found, seen } of outcomes) {
    process.stdout.write(`${what}: ${count.toLocaleString("en")}, ${found.length} faults (${seen})\n`);
    for (const fault of found.slice(0, 20)) process.stdout.write(`    ${fault}\n`);
    faults += found.length;
  }
  if (values.table) writeTable(outcomes);
}
process.exitCode = faults > 0 ? 1 : 0;
