import { expect, it } from "vitest";
import { generator } from "../split/index.js";
import { sumOver } from "./probe.js";

it("is the sum itself where all were seen, and no less than what was seen", () => {
  expect(sumOver([1, 2, 3], 3)).toEqual({ value: 6, interval: [6, 6] });
  expect(sumOver([1, 1, 1, 40], 5).interval[0]).toBe(43);
  expect(sumOver([-1, -1, -1], 300, { least: "any" })).toEqual({ value: -300, interval: [-300, -300] });
  expect(sumOver([5], 10)).toEqual({ value: 50, interval: [5, Number.POSITIVE_INFINITY] });
});

it("covers the sum of a run's times in nine of ten probes of twenty, and more where times are alike", () => {
  const random = generator(3);
  const uniform = (): number => (random.bounded(999_998) + 1) / 1_000_000;
  // The tail of a server's times, and times that are about alike.
  for (const [time, least] of [
    [() => -Math.log(uniform()), 0.88],
    [() => 1 + 0.3 * uniform(), 0.92],
  ] as const) {
    let covered = 0;
    const probes = 400;
    for (let probe = 0; probe < probes; probe++) {
      const times = Array.from({ length: 300 }, time);
      const sum = times.reduce((all, one) => all + one, 0);
      const [low, high] = sumOver(times.slice(0, 20), times.length).interval;
      if (low <= sum && sum <= high) covered++;
    }
    expect(covered / probes).toBeGreaterThanOrEqual(least);
  }
});
