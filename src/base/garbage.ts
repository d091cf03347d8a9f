import v8 from "node:v8";
import vm from "node:vm";

let collector: (() => void) | undefined | null;
let oldAfterwards = 0;

/**
 * Takes back what nothing holds any more, now. V8 does so by itself, but lets old garbage grow to the size of what is
 * live first, and does not see what native libraries hold: between the phases of a run, what one of them made would
 * stand beside what the next makes. Takes some 20 ms where little is live.
 */
export function collectGarbage(): void {
  if (collector === undefined) collector = (globalThis as { gc?: () => void }).gc ?? exposedCollector();
  if (!collector) return;
  collector();
  oldAfterwards = oldBytes();
}

/**
 * {@link collectGarbage} where V8's old space has grown by so many bytes since: for loops whose values live just long
 * enough to become old. Looking takes some microseconds.
 */
export function collectGarbageAbove(bytes: number): void {
  if (oldBytes() - oldAfterwards > bytes) collectGarbage();
  if (mostYoung < Number.POSITIVE_INFINITY) boundYoung();
}

/** Bounds of V8's young generation: for runs that hold many rows, and for others. */
export const [SMALL_YOUNG, USUAL_YOUNG] = [8 << 20, 32 << 20];

let mostYoung = Number.POSITIVE_INFINITY;
let growth = 2;

/**
 * Keeps V8's young generation at so many bytes: left alone it grows to 32 MiB in the first second of work, with Node 24
 * to 128, and never becomes smaller. Where a thousand requests are under way 8 MiB take up to a fifth more processor
 * time than 32, and those no more than 128. For the start of a process of ours.
 */
export function boundYoungGeneration(bytes: number): void {
  const alive: number[][] = [];
  // It grows by what stays alive, and from its first 2 MiB everything would.
  while (youngBytes() < SMALL_YOUNG && alive.length < 10_000)
    for (let count = 0; count < 100; count++) alive.push(new Array<number>(512).fill(0));
  mostYoung = bytes;
  boundYoung();
}

/** Lets a bounded young generation grow to so many bytes; nothing where it is not bounded, as in a user's own program. */
export function widenYoungGeneration(bytes: number): void {
  if (mostYoung === Number.POSITIVE_INFINITY) return;
  mostYoung = bytes;
  boundYoung();
}

/** Lets V8's young generation grow again. */
export function freeYoungGeneration(): void {
  mostYoung = Number.POSITIVE_INFINITY;
  boundYoung();
}

/** The flag of its size is read when a process begins; this one each time that it would grow. */
function boundYoung(): void {
  const wanted = youngBytes() < mostYoung ? 2 : 1;
  if (wanted !== growth) v8.setFlagsFromString(`--semi-space-growth-factor=${wanted}`);
  growth = wanted;
}

const youngBytes = (): number =>
  v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space")?.space_size ?? USUAL_YOUNG;

/** Values, {@link collectGarbageAbove} 16 MiB looked after now and then: for a loop that goes through very many. */
export function* collectingGarbage<T>(values: Iterable<T>): Generator<T> {
  let count = 0;
  for (const value of values) {
    yield value;
    if (++count % LOOK_EACH === 0) collectGarbageAbove(LEFT_BYTES);
  }
}

const LOOK_EACH = 4096;
const LEFT_BYTES = 16 << 20;

const oldBytes = (): number =>
  v8
    .getHeapSpaceStatistics()
    .filter(({ space_name }) => space_name === "old_space" || space_name === "large_object_space")
    .reduce((sum, { space_used_size }) => sum + space_used_size, 0);

function exposedCollector(): (() => void) | null {
  try {
    // The same as `node --expose-gc`, without asking that of every user. Node warns of flags that are set late; this
    // one only adds the function to contexts made after it. The inspector's HeapProfiler.collectGarbage needs no flag,
    // but takes ten times as long, and an await, which those who count tokens in a loop cannot give.
    v8.setFlagsFromString("--expose-gc");
    return vm.runInNewContext("gc") as () => void;
  } catch {
    return null;
  }
}
