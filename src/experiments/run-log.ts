import { appendFileSync } from "node:fs";
import { withoutCredentials } from "../base/addresses.js";
import { messageOf, UserError } from "../base/errors.js";
import { printable } from "../base/printable.js";
import type { Progress } from "../base/progress.js";
import { VERSION } from "../base/versions.js";
import type { RunContext, RunOutcome } from "./context.js";

/** How often a stage that goes on is told, in milliseconds. */
const EVERY = 60_000;

/**
 * Does a run's work and keeps what it says in `run.log` of its folder: a line with its time (UTC) for each stage that
 * begins and ends, each line said, the headline, and why it ended where it did. A sitting is appended to those before.
 */
export async function withRunLog(
  context: RunContext,
  work: (context: RunContext) => Promise<RunOutcome>,
): Promise<RunOutcome> {
  const log = new RunLog(context.progress);
  log.write(`mmmlu-lab ${VERSION}, Node ${process.versions.node}, ${process.platform} ${process.arch}`);
  try {
    const outcome = await work({
      ...context,
      progress: logged(context.progress, log),
      opened: (folder) => {
        log.open(folder.file("run.log"));
        context.opened?.(folder);
      },
    });
    outcome.headline.forEach((line) => log.write(line));
    log.write("done");
    return outcome;
  } catch (error) {
    log.write(`ended: ${messageOf(error)}${error instanceof UserError && error.hint ? ` ${error.hint}` : ""}`);
    throw error;
  }
}

/** Lines wait until the run's folder is its own. */
class RunLog {
  private waiting: string[] = [];
  private path: string | undefined;
  private broken = false;

  constructor(private readonly progress: Progress) {}

  open(path: string): void {
    this.path = path;
    this.waiting.splice(0).forEach((line) => this.append(line));
  }

  write(text: string): void {
    const line = `${new Date().toISOString()}  ${printable(withoutCredentials(text)).replaceAll("\n", "\n  ")}\n`;
    if (this.path === undefined) this.waiting.push(line);
    else this.append(line);
  }

  /** A disk that takes no more of it must not end the run. */
  private append(line: string): void {
    try {
      appendFileSync(this.path as string, line);
    } catch (error) {
      if (!this.broken) this.progress.say(`${this.path} cannot be written: ${messageOf(error)}`);
      this.broken = true;
    }
  }
}

function logged(progress: Progress, log: RunLog): Progress {
  let stage: string | undefined;
  let total: number | undefined;
  let told = 0;
  return {
    begin(name, of, from) {
      [stage, total, told] = [name, of, Date.now()];
      log.write(`${name}: begins${of === undefined ? "" : `, ${of.toLocaleString("en")}`}`);
      progress.begin(name, of, from);
    },
    update(done, note) {
      if (Date.now() - told >= EVERY) {
        told = Date.now();
        const of = total === undefined ? "" : ` of ${total.toLocaleString("en")}`;
        log.write(`${stage}: ${done.toLocaleString("en")}${of}${note ? `, ${note}` : ""}`);
      }
      progress.update(done, note);
    },
    say(line) {
      log.write(line);
      progress.say(line);
    },
    end(note) {
      if (stage !== undefined) log.write(`${stage}: ${note ?? "done"}`);
      stage = undefined;
      progress.end(note);
    },
  };
}
