import { describe, expect, it } from "vitest";
import { bfloat16Step, nearTies } from "./near-ties.js";

/** A bfloat16's neighbour, by its bits. */
function stepByBits(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]! & 0xffff0000;
  const next = new Float32Array(Uint32Array.of(bits + 0x10000).buffer)[0]!;
  return Math.abs(next - new Float32Array(Uint32Array.of(bits).buffer)[0]!);
}

describe("near ties", () => {
  it.each([1, 1.99, 2, 3.3, 15.9, 16, 29.99, -0.5, -24, 1e-3, 1000])("a step at %d is that of its bits", (value) =>
    expect(bfloat16Step(value)).toBe(stepByBits(value)),
  );

  it("are counted by the distance of the two likeliest letters at the size of the logit", () => {
    const row = (distance: number, letterLogit: number) => ({
      logProbabilities: [-3, -0.5 - distance, -0.5, -7],
      letterLogit,
    });
    // At 20 a step is 0.125, at 10 it is 0.0625.
    expect(nearTies([row(0.125, 20), row(0.125, 10), row(0.0625, 10), row(0, 3), row(0.13, 20)])).toEqual({
      n: 5,
      count: 3,
    });
    expect(nearTies([{ logProbabilities: [-1, -1, -2, -3] }, {}])).toEqual({ n: 0, count: 0 });
  });
});
