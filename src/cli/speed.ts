/** Steps of the measurement: some tenths of a second. */
const STEPS = 1e8;

/** Seconds that {@link measuredSeconds} takes on the machine that `docs/benchmarks.md` names, idle. */
const REFERENCE = 0.166;

/** Seconds that a fixed piece of arithmetic takes here and now, on one core, whatever else the machine does. */
function measuredSeconds(): number {
  const began = performance.now();
  let state = 1;
  for (let step = 0; step < STEPS; step++) state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + step) | 0;
  // What nobody reads might not be computed.
  return state === 0.5 ? 0 : (performance.now() - began) / 1000;
}

/** How many times as long as on the machine of `docs/benchmarks.md` work takes here and now. */
export const slowness = (): number => measuredSeconds() / REFERENCE;
