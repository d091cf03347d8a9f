/** Steps of one piece of the measurement, some milliseconds. */
const STEPS = 5e6;

/** Milliseconds that are measured, after as many in which the machine code comes about. */
const MEASURED = 250;

/** Seconds that {@link STEPS} take on the machine that `docs/benchmarks.md` names, idle. */
const REFERENCE = 0.166 / 20;

function arithmetic(steps: number): number {
  let state = 1;
  for (let step = 0; step < steps; step++) state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + step) | 0;
  return state;
}

/** Seconds that a piece of arithmetic takes here and now, on one core, whatever else the machine does. */
function measuredSeconds(): number {
  let pieces = 0;
  const began = performance.now();
  let now = began;
  let sum = 0;
  for (; now - began < MEASURED; pieces++) {
    sum += arithmetic(STEPS);
    now = performance.now();
  }
  // What nobody reads might not be computed.
  return sum === 0.5 ? 0 : (now - began) / 1000 / pieces;
}

/** How many times as long as on the machine of `docs/benchmarks.md` work takes here and now. */
export function slowness(): number {
  // On a busy machine the compiler of its own thread comes late, and until then all is many times as slow.
  measuredSeconds();
  return measuredSeconds() / REFERENCE;
}
