#!/usr/bin/env node
import { withoutCredentials } from "../base/addresses.js";
import { readDotEnv } from "../base/environment.js";
import { messageOf, UserError } from "../base/errors.js";
import { hintForSystemError, isSystemError } from "../base/files.js";
import { printable } from "../base/printable.js";
import { shownOn } from "../base/terminal.js";
import { program } from "./program.js";

// Whoever reads may have had enough, as `head` has; a file that it goes to may lie on a full disk.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(`mmmlu: cannot write what it says: ${error.message}\n`);
  process.stderr.write(`       ${hintForSystemError(error) ?? "Send it to another place."}\n`);
  process.exit(1);
});
// What it says on the way is no reason to end.
process.stderr.on("error", () => {});
let done = false;
// Node ends without a word, with code 13, where nothing is left that what is awaited could come from.
process.on("exit", (code) => {
  if (done || code !== 13) return;
  process.stderr.write("mmmlu: it ended before it was done: whatever it waited for can come no more\n");
  process.stderr.write("       What was done is kept: run the same command again. This is a fault of mmmlu-lab.\n");
  process.exitCode = 1;
});
process.exitCode = await main(process.argv);
done = true;

async function main(argv: string[]): Promise<number> {
  const debug = argv.includes("--debug");
  try {
    await readDotEnv();
    await (await program(argv.slice(2))).parseAsync(argv);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return tell(error, debug);
  }
}

/** Whatever a message quotes: without terminal escapes, and without the credentials of addresses. */
function shown(text: string): string {
  return printable(withoutCredentials(text));
}

/** Prints what a user can act on; the stack only with `--debug`. */
function tell(error: unknown, debug: boolean): number {
  if (isCommanderExit(error)) return error.exitCode === 0 ? 0 : 2;
  process.stderr.write(`${shownOn(process.stderr, `mmmlu: ${shown(messageOf(error))}`)}\n`);
  const hint = withCache(hintOf(error), messageOf(error));
  if (hint) process.stderr.write(`       ${shown(hint)}\n`);
  if (!(error instanceof UserError) && !hint && !debug)
    process.stderr.write("       This looks like a fault of mmmlu-lab: run it again with --debug for the place.\n");
  if (debug && error instanceof Error) {
    process.stderr.write(`${shown(error.stack ?? "")}\n`);
    if (error.cause instanceof Error) process.stderr.write(`caused by: ${shown(error.cause.stack ?? "")}\n`);
  }
  return error instanceof UserError ? error.exitCode : 1;
}

/**
 * What to do about an error: where it says so itself (a UserError, the engine about a device that is not there), or
 * where the system refused something.
 */
function hintOf(error: unknown): string | undefined {
  if (error instanceof Error && "hint" in error && typeof error.hint === "string") return error.hint;
  return isSystemError(error) ? hintForSystemError(error) : undefined;
}

/** A file of the hub's cache is only downloaded again where it is not there. */
function withCache(hint: string | undefined, message: string): string | undefined {
  const isCached = /[/\\](models|datasets)--[\w.-]+[/\\]snapshots[/\\][0-9a-f]{40}[/\\]/.test(message);
  if (!hint || !isCached || !/download/i.test(hint)) return hint;
  return `${hint} It lies in the hub's cache: remove it there, and the same command fetches it anew.`;
}

function isCommanderExit(error: unknown): error is { exitCode: number } {
  return error instanceof Error && "code" in error && String(error.code).startsWith("commander.");
}
