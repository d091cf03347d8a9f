import { shownOn } from "../base/terminal.js";

/** Prints lines for people on standard output, folded where it is a terminal. */
export function print(...lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${shownOn(process.stdout, line)}\n`);
}
