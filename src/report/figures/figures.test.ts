import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { subjectFigure } from "./evaluation.js";
import { draw } from "./plot.js";
import { everyFigure, NAMES } from "./testing/every-figure.js";
import { textBoxes, textFaults } from "./text-boxes.js";
import { shortened, sizeToFit, widestWidth } from "./text-width.js";

const parsed = (svg: string): Element => parseHTML(`<body>${svg}</body>`).document.querySelector("svg")!;

describe("a figure", () => {
  it.each(everyFigure().map((figure) => [figure.name, figure] as const))(
    "%s has room for its texts in the widest fonts",
    (_name, figure) => {
      for (const svg of [figure.svg, figure.narrow].map(parsed)) {
        expect(textBoxes(svg).length).toBeGreaterThan(3);
        expect(textFaults(svg)).toEqual([]);
      }
    },
  );

  it("that has not is found out", () => {
    const text = (x: number, y: number, words: string): string =>
      `<g transform="translate(${x},${y})"><text text-anchor="start">${words}</text></g>`;
    const svg = (inside: string): Element => parsed(`<svg viewBox="0 0 100 50">${inside}</svg>`);
    expect(textFaults(svg(text(10, 20, "fits")))).toEqual([]);
    expect(textFaults(svg(text(70, 20, "too wide")))).toEqual(["cut: too wide"]);
    expect(textFaults(svg(text(10, 5, "high")))).toEqual(["cut: high"]);
    expect(textFaults(svg(text(10, 20, "one") + text(20, 22, "other")))).toEqual(["one over other"]);
  });

  it("makes room by itself, and shortens what would take more than its share", () => {
    const figure = draw("x", "X", "", {
      rows: [...NAMES],
      marginRight: 0,
      x: { label: "W".repeat(300), labelAnchor: "center", domain: [0, 1e9], ticks: 3 },
      marks: [],
    });
    for (const svg of [figure.svg, figure.narrow]) {
      expect(textFaults(parsed(svg))).toEqual([]);
      expect(svg).toMatch(/WWW…/);
    }
  });
});

describe("the subjects' figure", () => {
  const told = (...estimates: number[]): string =>
    subjectFigure(
      estimates.map((shrunken, at) => ({
        ...{ subject: `subject_${at}`, category: "STEM", n: 8, correct: at, questions: 8, fewQuestions: true },
        ...{ accuracy: at / 8, shrunken, interval: [0, 1], clusteredInterval: [0, 1], chance: 0.25 },
      })) as unknown as Parameters<typeof subjectFigure>[0],
      0.5,
    ).svg;

  it("names all that share the highest and the lowest estimate, and nobody where all do", () => {
    expect(told(0.6, 0.5, 0.4)).toContain("Highest estimate 60.0 %: subject 0 (8); lowest 40.0 %: subject 2 (8);");
    expect(told(0.6, 0.6, 0.4, 0.4, 0.4 + 1e-12, 0.4, 0.4)).toContain(
      "Highest estimate 60.0 %: subject 0 (8), subject 1 (8); lowest 40.0 %: subject 2 (8), subject 3 (8), " +
        "subject 4 (8) and 2 more;",
    );
    expect(told(0.27, 0.27, 0.27)).toContain("All are estimated alike, at 27.0 %; overall 50.0 %.");
  });
});

describe("the width of a text", () => {
  it("counts an accent with its letter, and knows a bold and a wide one", () => {
    expect(widestWidth("é".normalize("NFD"))).toBe(widestWidth("é".normalize("NFC")));
    expect(widestWidth("a", 10)).toBeCloseTo(6.13, 5);
    expect(widestWidth("a", 10, true)).toBeGreaterThan(widestWidth("a", 10));
    expect(widestWidth("漢", 10)).toBeGreaterThanOrEqual(10);
    expect(widestWidth("", 10)).toBe(0);
  });

  it("is that of what is left of a text that is shortened, and of one set smaller", () => {
    for (const name of NAMES) {
      expect(widestWidth(shortened(name, 100))).toBeLessThanOrEqual(100);
      expect(shortened(name, 1e4)).toBe(name);
      expect(widestWidth(name, sizeToFit(name, 50))).toBeLessThanOrEqual(50 + 1e-9);
    }
    // What belongs together is not parted: a letter and its accents.
    expect(shortened("e\u0301".repeat(50), 100)).toMatch(/^(e\u0301)+…$/);
  });
});
