import { execFileSync } from "node:child_process";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { everyFigure, NAMES } from "../src/report/figures/testing/every-figure.js";
import { widestWidth } from "../src/report/figures/text-width.js";
import { chromiumPath, figureFaults, installedFonts, launchBrowser, watchedPage } from "./browser.js";

const drawn = chromiumPath ? everyFigure() : [];
let browser: Browser;
beforeAll(async () => {
  if (chromiumPath) browser = await launchBrowser();
});
afterAll(() => browser?.close());

/** What stands in figures, beside names of runs. */
const TEXTS = [
  ...NAMES,
  "high school european history (1,234)",
  "accuracy (number of rows in brackets)",
  "100.0 %",
  "196,588",
  "unreadable",
  "↑ learning rate",
  "−12.3 points",
];

describe.skipIf(!chromiumPath)("with another's fonts, in Chromium", () => {
  it.each(installedFonts)("%s: no text is wider than it is taken to be", async (font) => {
    const { page } = await watchedPage(browser);
    await page.setContent("<canvas></canvas>");
    const widths = await page.evaluate(
      ({ font, texts }) => {
        const context = document.querySelector("canvas")!.getContext("2d")!;
        return texts.map((text) =>
          ["13px", "600 13px"].map((size) => {
            context.font = `${size} "${font}", sans-serif`;
            return context.measureText(text).width;
          }),
        );
      },
      { font, texts: TEXTS },
    );
    TEXTS.forEach((text, index) => {
      const [upright, bold] = widths[index] as [number, number];
      expect(upright, text).toBeLessThanOrEqual(widestWidth(text) + 0.01);
      expect(bold, text).toBeLessThanOrEqual(widestWidth(text, 13, true) + 0.01);
    });
    await page.close();
  });

  it.each(installedFonts)("%s: no text of a figure is cut off or printed over another, at any width", async (font) => {
    const { page } = await watchedPage(browser);
    await page.setContent(
      `<style>svg, svg * { font-family: "${font}", sans-serif !important }</style>${drawn
        .flatMap(({ name, svg, narrow }) => [
          `<figure id="${name}">${svg}</figure>`,
          `<figure id="${name}, narrow">${narrow}</figure>`,
        ])
        .join("")}`,
    );
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await figureFaults(page)).toEqual([]);
    }
    await page.close();
  });
});

it("there are fonts to see it with", ({ skip }) => {
  skip(!chromiumPath || installedFonts.length === 0, "no Chromium, or none of the fonts");
  expect(execFileSync("fc-list", [":", "family"], { encoding: "utf8" })).toContain(installedFonts[0]!);
});
