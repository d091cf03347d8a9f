import type { Finding, State } from "./doctor/check.js";
import { examine } from "./doctor/index.js";

export interface MachineFlags {
  readonly offline?: boolean;
  readonly json?: boolean;
}

/** Looks at this machine, and prints what it finds as it finds it. */
export async function examineMachine({ offline = false, json }: MachineFlags): Promise<void> {
  const say = (finding: Finding): void => void process.stdout.write(`${lines(finding).join("\n")}\n`);
  const findings = await examine({ environment: process.env, offline }, json ? undefined : say);
  if (json) process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  else process.stdout.write(`\n${summary(findings)}\n`);
  if (findings.some(({ state }) => state === "broken")) process.exitCode = 1;
}

const MARK: Record<State, string> = { ok: "✓", missing: "–", broken: "✗" };

function lines({ name, state, what, neededFor, mend }: Finding): string[] {
  return [
    `${MARK[state]} ${name}: ${what}`,
    ...(neededFor === undefined ? [] : [`    needed for ${neededFor}`]),
    ...(mend === undefined ? [] : [`    → ${mend}`]),
  ];
}

function summary(findings: readonly Finding[]): string {
  const count = (state: State): number => findings.filter((finding) => finding.state === state).length;
  const [missing, broken] = [count("missing"), count("broken")];
  if (broken) return `${broken} to be mended, ${missing} not there; the rest is well`;
  return missing ? `${missing} not there, and needed for what is said beside it; the rest is well` : "all is well";
}
