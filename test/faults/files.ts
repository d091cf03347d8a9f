import { rmSync, writeFileSync } from "node:fs";
import { UserError } from "../../src/base/errors.js";
import { counted, type FaultOptions, type Outcome, temporaryFolder } from "./common.js";
import { mutations } from "./mutations.js";
import { allReaders, type Reader } from "./readers.js";

/** Bounds on one input of some kilobytes: CPU seconds, and growth of the process's memory over all of a reader's. */
const MOST_SECONDS = 2;
const MOST_MIB = 700;
/** Inputs between two looks at the memory. */
const LOOK = 500;

interface Seen {
  refused: number;
  seconds: number;
  mib: number;
}

const isForUser = (error: unknown): boolean => error instanceof UserError && error.message.length < 20_000;

/** Gives a reader spoilt inputs. */
async function spoil(reader: Reader, count: number, seed: number, faults: string[]): Promise<Seen> {
  const mutate = mutations(seed);
  const seen: Seen = { refused: 0, seconds: 0, mib: 0 };
  const started = process.memoryUsage.rss();
  const note = (what: string, input: Buffer): void => {
    if (faults.length < 200)
      faults.push(`${reader.name}: ${what}: ${JSON.stringify(input.toString("latin1").slice(0, 300))}`);
  };
  for (let number = 0; number < count; number++) {
    const input =
      number < reader.inputs.length
        ? (reader.inputs[number] as Buffer)
        : mutate(reader.inputs[number % reader.inputs.length] as Buffer, reader.inputs);
    if (reader.file !== undefined) writeFileSync(reader.file, input);
    const before = process.cpuUsage();
    try {
      await reader.read(input);
    } catch (error) {
      seen.refused++;
      if (number < (reader.sound ?? reader.inputs.length)) note(`a sound one is refused: ${String(error)}`, input);
      if (!isForUser(error) && !reader.allowed?.(error))
        note(error instanceof Error ? `${error.stack?.split("\n").slice(0, 3).join(" ")}` : String(error), input);
    }
    const { user, system } = process.cpuUsage(before);
    const seconds = (user + system) / 1e6;
    if (seconds > MOST_SECONDS) note(`it took ${seconds.toFixed(1)} s`, input);
    seen.seconds = Math.max(seen.seconds, seconds);
    if (number % LOOK === 0) seen.mib = Math.max(seen.mib, (process.memoryUsage.rss() - started) / 2 ** 20);
  }
  if (seen.mib > MOST_MIB) faults.push(`${reader.name}: memory grew by ${seen.mib.toFixed(0)} MiB`);
  return seen;
}

/**
 * Spoilt files and replies for every reader: whatever comes, an error for the user and nothing else, soon and in
 * bounded memory.
 */
export async function hostileFiles(options: FaultOptions): Promise<Outcome[]> {
  const folder = temporaryFolder("files");
  const outcomes: Outcome[] = [];
  try {
    const only = process.env.FAULTS_READERS;
    const every = await allReaders(folder);
    const readers = every.filter(({ name }) => only === undefined || name.includes(only));
    const all = every.reduce((sum, { weight }) => sum + weight, 0);
    for (const [place, reader] of readers.entries()) {
      const faults: string[] = [];
      const count = counted((1_000_000 * reader.weight) / all, options, 20);
      const seen = await spoil(reader, count, options.seed + place, faults);
      options.say(`${reader.name}: ${count} inputs, ${faults.length} faults`);
      outcomes.push({
        part: "files",
        what: `spoilt inputs: ${reader.name}`,
        count,
        faults,
        seen:
          `${Math.round((100 * seen.refused) / count)} % refused; at most ${Math.round(1000 * seen.seconds)} ms ` +
          `of CPU for one; ${Math.max(0, Math.round(seen.mib))} MiB more memory`,
      });
    }
    return outcomes;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
