import { describe, expect, it } from "vitest";
import { type Letter, letterUnder, ownLetter } from "../tasks/index.js";
import { type Asking, orderStatistics, repeatStatistics } from "./askings.js";

const LETTERS = "ABCD" as const;
const answersOf = (truths: string, predict: (truth: Letter, row: number) => Letter | null): Asking["answers"] =>
  [...truths].map((truth, row) => ({
    id: `DE_DE/anatomy/${row}`,
    answer: truth as Letter,
    prediction: predict(truth as Letter, row),
  }));
const truths = "ABCD".repeat(25);
const orders = [0, 1, 2, 3];

describe("several orders of the options", () => {
  it("show a model that looks at the place alone: right as often as by lot, alike nowhere", () => {
    // It always takes the first option that it is shown; the rows' own order has the right one there too often.
    const biased = "A".repeat(40) + "BCD".repeat(20);
    const askings = orders.map((order) => ({
      order,
      repeat: 0,
      answers: answersOf(biased, () => ownLetter("A", order, 4)),
    }));
    const found = orderStatistics(askings)!;
    expect(found).toMatchObject({ orders: 4, accuracy: 0.25 });
    expect(found.againstOwnOrder.difference).toBeCloseTo(-0.15, 12);
    expect(found.againstOwnOrder.interval[1]).toBeLessThan(0);
    expect(found.answeredAlike.accuracy).toBe(0);
    expect(found.positionBias.overOrders).toBeCloseTo(0.75, 12);
    expect(found.positionBias.inOwnOrder).toBeCloseTo(0.6, 12);
    expect(found.letters.map(({ excessOverOrders }) => excessOverOrders)).toEqual([0.75, -0.25, -0.25, -0.25]);
    expect(found.byOrder.map(({ accuracy }) => accuracy)).toEqual([0.4, 0.2, 0.2, 0.2]);
    expect(found.byOrder[0]!.againstOwnOrder.difference).toBe(0);
  });

  it("show a model that knows: the same under all, without bias", () => {
    const knows = orders.map((order) => ({
      order,
      repeat: 0,
      answers: answersOf(truths, (truth, row) => (row < 60 ? truth : null)),
    }));
    expect(orderStatistics(knows)).toMatchObject({
      accuracy: 0.6,
      againstOwnOrder: { difference: 0 },
      answeredAlike: { accuracy: 0.6 },
      positionBias: { inOwnOrder: 0, overOrders: 0 },
    });
    expect(letterUnder("A", 1, 4)).toBe("D");
  });

  it("are none where there was one", () =>
    expect(orderStatistics([{ order: 0, repeat: 0, answers: [] }])).toBeUndefined());
});

describe("repeats", () => {
  it("have a mean, a standard deviation and an agreement", () => {
    // Of 100 rows the first has 50 right, the second 60, the third 70.
    const askings = [50, 60, 70].map((right, repeat) => ({
      order: 0,
      repeat,
      answers: answersOf(
        truths,
        (truth, row) => (row < right ? truth : LETTERS[(LETTERS.indexOf(truth) + 1 + repeat) % 4]) as Letter,
      ),
    }));
    const found = repeatStatistics(askings)!;
    expect(found.accuracies).toEqual([0.5, 0.6, 0.7]);
    expect(found.accuracy).toBeCloseTo(0.6, 12);
    expect(found.spread).toBeCloseTo(0.1, 12);
    expect(found.answeredAlike.accuracy).toBeCloseTo(0.5, 12);
    // 50 rows agree in all pairs, 20 in one of three (10 of which where two are right); 30 in none.
    expect(found.agreement).toBeCloseTo((50 + 20 / 3 - 10 / 3) / 100, 12);
    expect(repeatStatistics(askings.slice(0, 1))).toBeUndefined();
  });
});
