import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Finished } from "../command.js";
import {
  counted,
  type FaultOptions,
  halfFiles,
  leftovers,
  type Outcome,
  type StepKind,
  seeded,
  temporaryFolder,
} from "./common.js";
import { exportScenarios } from "./exports.js";
import { differences, undisturbed } from "./kills.js";
import { downloadScenario, evaluationScenario, reportScenario, type Scenario, trainingScenario } from "./scenarios.js";

const KINDS: readonly StepKind[] = ["full", "readonly", "failing", "once", "removed", "short", "slow"];
const HARMLESS: readonly StepKind[] = ["short", "slow"];

/** What is wrong with how a command ended that the disk let down; undefined where it said what and what to do. */
function faultOfEnd({ code, error }: Finished, kind: StepKind): string | undefined {
  if (code === 0) return undefined;
  if (HARMLESS.includes(kind)) return `a disk that is ${kind} ended it: ${error.slice(-300)}`;
  if (code !== 1 || !/^mmmlu: /m.test(error) || /looks like a fault|^\s+at .*:\d+:\d+/m.test(error))
    return `it ended with ${code} and no word for its user: ${error.slice(-400)}`;
  return undefined;
}

export async function disksOf(scenario: Scenario, wanted: number, options: FaultOptions): Promise<Outcome> {
  const folder = temporaryFolder("disks");
  const random = seeded(options.seed);
  const faults: string[] = [];
  let [count, ended] = [0, 0];
  try {
    const { steps, result } = await undisturbed(scenario, folder);
    for (; count < wanted; count++) {
      const place = join(folder, "run");
      rmSync(place, { recursive: true, force: true });
      rmSync(`${place}.away`, { recursive: true, force: true });
      scenario.begin(place);
      const kind = KINDS[(count + options.seed) % KINDS.length] as StepKind;
      const at = 1 + Math.floor(((count + random.below(1000) / 1000) * steps) / wanted);
      const note = (what: string): void => void faults.push(`${kind} at step ${at}: ${what}`);
      const first = await scenario.run(place, { under: place, kind, at });
      if (first.code !== 0) ended++;
      const fault = faultOfEnd(first, kind);
      if (fault) note(fault);
      if (existsSync(`${place}.away`)) {
        rmSync(place, { recursive: true, force: true });
        renameSync(`${place}.away`, place);
      }
      for (const half of halfFiles(place)) note(`${half} is half written`);
      if (kind !== "removed") for (const fault of scenario.disturbed?.(place, result) ?? []) note(fault);
      const before = scenario.kept(place);
      const { code, error } = await scenario.run(place, { under: place });
      const refused = scenario.refusesWhole && / is there already/.test(error);
      if (code !== 0 && !refused) note(`afterwards it ended with ${code}: ${error.slice(-300)}`);
      const now = new Set(scenario.kept(place));
      if (before.some((line) => !now.has(line))) note("lines of the log are lost");
      for (const name of leftovers(place)) note(`${name} was left`);
      for (const difference of differences(result, scenario.result(place))) note(difference);
      options.say(`disks, ${scenario.name}: ${count + 1} of ${wanted}, ${faults.length} faults`);
    }
    return {
      part: "disks",
      what: `${scenario.name} on a disk that is full, read-only, failing, removed, writes short or slowly`,
      count,
      faults,
      seen: `${ended} ended with a word, all went on`,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await scenario.close();
  }
}

/** A real disk of so many KiB, where this process may mount one. */
function smallDisk(place: string, kib: number): (() => void) | undefined {
  mkdirSync(place, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${kib}k`, "tmpfs", place], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  return () => void execFileSync("umount", ["-l", place], { stdio: "ignore" });
}

/** The same on real disks of a few sizes, made larger afterwards. */
async function realDisks(scenario: Scenario, all: readonly number[], options: FaultOptions): Promise<Outcome[]> {
  const folder = temporaryFolder("real");
  const faults: string[] = [];
  const sizes = all.slice(0, counted(all.length, options, 1));
  const place = join(folder, "run");
  let [count, ended] = [0, 0];
  try {
    const { result } = await undisturbed(scenario, folder);
    rmSync(place, { recursive: true, force: true });
    for (const kib of sizes) {
      const unmount = smallDisk(place, kib);
      if (!unmount) return [];
      try {
        scenario.begin(join(place, "out"));
        const first = await scenario.run(join(place, "out"), { under: join(place, "out") });
        if (first.code !== 0) ended++;
        const fault = faultOfEnd(first, "full");
        if (fault) faults.push(`${kib} KiB: ${fault}`);
        for (const half of halfFiles(place)) faults.push(`${kib} KiB: ${half} is half written`);
        const left = scenario.disturbed?.(join(place, "out"), result) ?? [];
        for (const fault of left) faults.push(`${kib} KiB: ${fault}`);
        execFileSync("mount", ["-o", "remount,size=64m", place]);
        const { code, error } = await scenario.run(join(place, "out"), { under: join(place, "out") });
        const refused = scenario.refusesWhole && / is there already/.test(error);
        if (code !== 0 && !refused) faults.push(`${kib} KiB, then room: it ended with ${code}: ${error.slice(-300)}`);
        for (const what of differences(result, scenario.result(join(place, "out")))) faults.push(`${kib} KiB: ${what}`);
        count++;
      } finally {
        unmount();
      }
    }
    return [
      {
        part: "disks",
        what: `${scenario.name} on a real disk of ${all[0]} to ${all.at(-1)!.toLocaleString("en")} KiB, then with room`,
        count,
        faults,
        seen: `${ended} ended with a word, all went on`,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await scenario.close();
  }
}

/** Disks that let commands down. */
export async function disks(options: FaultOptions): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  outcomes.push(await disksOf(await downloadScenario(options.seed), counted(70, options, 7), options));
  const folder = temporaryFolder("answered");
  try {
    outcomes.push(await disksOf(await reportScenario(folder), counted(70, options, 3), options));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  outcomes.push(await disksOf(await evaluationScenario(), counted(70, options, 2), options));
  const trainings = counted(35, options, 0);
  if (trainings > 0) outcomes.push(await disksOf(await trainingScenario(), trainings, options));
  outcomes.push(...(await realDisks(await evaluationScenario(), [8, 40, 100, 300, 600, 1200], options)));
  return outcomes;
}

/** The same of every command that writes for other programs. */
export async function exportDisks(options: FaultOptions): Promise<Outcome[]> {
  const folder = temporaryFolder("exported");
  const outcomes: Outcome[] = [];
  try {
    for (const scenario of await exportScenarios(folder, options)) {
      outcomes.push(await disksOf(scenario, counted(35, options, 2), options));
      if (options.share >= 0.1) outcomes.push(...(await realDisks(scenario, [120, 200, 300, 600, 1000], options)));
    }
    return outcomes;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
