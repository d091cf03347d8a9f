import { inLocale } from "../base/terminal.js";
import type { Finding, State } from "./doctor/check.js";
import { examine } from "./doctor/index.js";
import { print } from "./print.js";

export interface MachineFlags {
  readonly offline?: boolean;
  readonly json?: boolean;
}

/** Looks at this machine, and prints what it finds as it finds it. */
export async function examineMachine({ offline = false, json }: MachineFlags): Promise<void> {
  const findings = await examine({ environment: process.env, offline }, json ? undefined : say);
  if (json) process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  else print("", summary(findings));
  if (findings.some(({ state }) => state === "broken")) process.exitCode = 1;
}

const MARK: Record<State, string> = { ok: "✓", missing: "–", broken: "✗" };

function say({ name, state, what, neededFor, mend }: Finding): void {
  print(`${MARK[state]} ${name}: ${what}`);
  if (neededFor !== undefined) print(`    needed for ${neededFor}`);
  // Not folded: it holds commands, which are copied.
  if (mend !== undefined)
    process.stdout.write(`${process.stdout.isTTY ? inLocale(`    → ${mend}`) : `    → ${mend}`}\n`);
}

function summary(findings: readonly Finding[]): string {
  const count = (state: State): number => findings.filter((finding) => finding.state === state).length;
  const [missing, broken] = [count("missing"), count("broken")];
  if (broken) return `${broken} to be mended, ${missing} not there; the rest is well`;
  return missing ? `${missing} not there, and needed for what is said beside it; the rest is well` : "all is well";
}
