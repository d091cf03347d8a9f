import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
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
import { downloadScenario, evaluationScenario, reportScenario, type Scenario, trainingScenario } from "./scenarios.js";

/** Kills of one series of runs, the last of which comes to its end. */
const IN_A_SERIES = 3;
const KINDS: readonly StepKind[] = ["before", "torn", "after"];

/** Steps of an undisturbed run, and what it comes to. */
export async function undisturbed(scenario: Scenario, folder: string) {
  // The place is the disturbed runs' own: some files name it.
  const [place, count] = [join(folder, "run"), join(folder, "count")];
  scenario.begin(place);
  const { code, error } = await scenario.run(place, { under: place, count });
  if (code !== 0) throw new Error(`${scenario.name}, undisturbed, ended with ${code}: ${error}`);
  return { steps: Number(readFileSync(count, "utf8")), result: scenario.result(place) };
}

/** How a result differs from another, in words. */
export function differences(expected: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>): string[] {
  const names = new Set([...expected.keys(), ...found.keys()]);
  return [...names].filter((name) => expected.get(name) !== found.get(name)).map((name) => `${name} is another`);
}

/**
 * Kills a command at steps spread evenly over all that it takes, some times in a row, and lets it come to its end: then
 * all is as if it had not been disturbed.
 */
async function killed(scenario: Scenario, options: FaultOptions): Promise<Outcome> {
  const folder = temporaryFolder("kills");
  const wanted = counted(scenario.kills, options, scenario.leastKills ?? 2);
  const random = seeded(options.seed);
  const faults: string[] = [];
  let [kills, series] = [0, 0];
  try {
    const { steps, result } = await undisturbed(scenario, folder);
    for (; kills < wanted && series < 2 * wanted; series++) {
      const place = join(folder, "run");
      rmSync(place, { recursive: true, force: true });
      scenario.begin(place);
      const note = (what: string): void => void faults.push(`series ${series} (${told.join(", ")}): ${what}`);
      const told: string[] = [];
      let runs = 0;
      for (let end = false; !end; ) {
        const last = told.length >= IN_A_SERIES || kills >= wanted;
        // The first kill of a series stands where its turn is; the others anywhere.
        const turn = Math.floor(((kills + random.below(1000) / 1000) * steps) / wanted);
        const at = 1 + (told.length === 0 ? turn : random.below(Math.max(1, steps - 1)));
        const kind = random.of(KINDS);
        const before = scenario.kept(place);
        const { code, error } = await scenario.run(place, { under: place, ...(last ? {} : { kind, at }) });
        runs++;
        if (code === null && !last) {
          kills++;
          told.push(`${kind} step ${at}`);
          const torn = told.filter((kill) => kill.startsWith("torn")).length;
          for (const half of halfFiles(place, torn)) note(`${half} is half written`);
          for (const fault of scenario.disturbed?.(place, result) ?? []) note(fault);
        } else end = true;
        if (end && code !== 0 && !(scenario.refusesWhole && / is there already/.test(error)))
          note(`it ended with ${code}: ${error.slice(-300)}`);
        const now = new Set(scenario.kept(place));
        const lost = before.filter((line) => !now.has(line)).length;
        if (lost > 0) note(`${lost} lines of the log are lost`);
      }
      for (const name of leftovers(place)) note(`${name} was left`);
      for (const difference of differences(result, scenario.result(place))) note(difference);
      for (const fault of scenario.after?.(place, runs) ?? []) note(fault);
      options.say(`${scenario.name}: ${kills} of ${wanted} kills, ${faults.length} faults`);
    }
    return {
      part: "kills",
      what: `kill -9 of ${scenario.name} at a step of the file system`,
      count: kills,
      faults,
      seen: `${series} runs to the end; an undisturbed one takes ${steps} steps`,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await scenario.close();
  }
}

type Kills = (options: FaultOptions) => Promise<Outcome[]>;

export const killDownload: Kills = async (options) => [await killed(await downloadScenario(options.seed), options)];

export const killReport: Kills = async (options) => {
  const folder = temporaryFolder("answered");
  try {
    return [await killed(await reportScenario(folder), options)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

export const killEvaluation: Kills = async (options) => [await killed(await evaluationScenario(), options)];

export const killTraining: Kills = async (options) => [await killed(await trainingScenario(), options)];

/** Every command that writes for other programs. */
export const killExports: Kills = async (options) => {
  const folder = temporaryFolder("exported");
  try {
    const outcomes: Outcome[] = [];
    for (const scenario of await exportScenarios(folder, options)) outcomes.push(await killed(scenario, options));
    return outcomes;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
