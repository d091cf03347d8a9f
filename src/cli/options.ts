import { InvalidArgumentError } from "commander";
import { shownOn } from "../base/terminal.js";

/** For an option that may be given several times. */
export const collect = (value: string, before: string[]): string[] => [...before, value];

/** Resolves at Ctrl-C, or when the process is asked to end. */
export const interrupted = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });

/** For an option that takes a whole number from 1. @throws {InvalidArgumentError} for anything else */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a whole number from 1");
  return value;
}
/** Says on standard error what a user should know. */
export const notice = (line: string): void =>
  void process.stderr.write(`${shownOn(process.stderr, `mmmlu: ${line}`)}\n`);
