import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluationMetrics, evaluationStatistics, type Prediction } from "../src/evaluate/index.js";
import { standalone } from "../src/report/figures/figure.js";
import { everyFigure } from "../src/report/figures/testing/every-figure.js";
import { answersReport } from "../src/report/reports.js";
import { LANGUAGES, mmmlu, SUBJECTS } from "../src/tasks/index.js";
import { chromiumPath, figureFaults, installedFonts, launchBrowser, watchedPage } from "./browser.js";

const LETTERS = mmmlu.letters;

const ROWS = 30_000;
const HOSTILE = `<img src=x onerror="alert('reply')"></script><script>alert('script')</script>`;

/** 30,000 answers, the sixth with markup in its reply. */
function predictions(): Prediction[] {
  return Array.from({ length: ROWS }, (_, i) => {
    const [language, subject] = [LANGUAGES[i % 14]!, SUBJECTS[Math.floor(i / 14) % 57]!];
    const answer = LETTERS[i % 4]!;
    const prediction = i % 50 === 5 ? null : i % 3 ? answer : LETTERS[(i + 1) % 4]!;
    return {
      id: `${language}/${subject}/${Math.floor(i / 798)}`,
      language,
      subject,
      answer,
      prediction,
      reply: i === 5 ? HOSTILE : (prediction ?? "I cannot tell"),
      stage: "test",
    };
  });
}

const folder = mkdtempSync(join(tmpdir(), "mmmlu-report-"));
const file = join(folder, "report.html");
const rows = predictions();
let browser: Browser;

/** The size in pixels of the smallest name of a row, axis or key of the figures that are seen. */
const smallestText = (page: Page): Promise<number> =>
  page
    .locator("figure svg")
    .evaluateAll((all) =>
      Math.min(
        ...(all as unknown as SVGSVGElement[])
          .filter((svg) => svg.checkVisibility())
          .map((svg) => (13 * svg.getBoundingClientRect().width) / svg.viewBox.baseVal.width),
      ),
    );

beforeAll(async () => {
  const { confusion } = evaluationMetrics(rows);
  const { pieces } = answersReport(
    {
      name: "big",
      description: HOSTILE,
      configuration: { note: HOSTILE },
      manifest: { kind: "evaluate", seeds: {}, sample: false, notes: [HOSTILE] },
      facts: [["Data", HOSTILE]],
      protocolDifferences: [],
      published: [
        { name: "accuracy", published: 0.6759, measured: 0.6533, unit: "share", interval: [0.64, 0.66], agrees: false },
      ],
    },
    {
      stages: [{ stage: "test", statistics: evaluationStatistics(rows), confusion, published: 0.6759 }],
      predictions: rows,
      audit: {
        kind: "published",
        audit: { rows: ROWS, translationInTrain: 20_000, duplicateInTrain: 10, either: 20_005 },
      },
    },
  );
  writeFileSync(file, [...pieces].join(""));
  if (chromiumPath) browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(!chromiumPath)("a report of 30,000 answers, in Chromium", () => {
  it("holds in the document only the rows in view, asks nothing of a network, and shows markup as text", async () => {
    const { page, complaints } = await watchedPage(browser);
    await page.goto(`file://${file}`);
    await page.waitForSelector("#predictions-view tbody tr[data-place]");
    expect(statSync(file).size).toBeLessThan(12e6);
    // Only the rows in view are in the document.
    expect(await page.locator("#predictions-view tbody tr").count()).toBeLessThan(80);
    expect(await page.locator("#predictions-count").textContent()).toMatch(/^30,000 of 30,000 rows/);
    await page.fill("#filter-search", "onerror");
    await page.waitForFunction(() => document.getElementById("predictions-count")!.textContent!.startsWith("1 of"));
    await page.locator("#predictions-view tbody tr[data-place]").click();
    expect(await page.locator("#detail").textContent()).toContain(HOSTILE);
    expect(await page.locator("img").count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("filters by language, subject and outcome, the counts right", async () => {
    const { page, complaints } = await watchedPage(browser);
    await page.goto(`file://${file}`);
    const choose = async (name: string, value: string): Promise<number> => {
      const before = await page.locator("#predictions-count").textContent();
      await page.selectOption(`#filter-${name}`, value);
      await page.waitForFunction((text) => document.getElementById("predictions-count")!.textContent !== text, before);
      return Number((await page.locator("#predictions-count").textContent())!.split(" ")[0]!.replaceAll(",", ""));
    };
    const german = rows.filter(({ language }) => language === "DE_DE");
    expect(await choose("language", "DE_DE")).toBe(german.length);
    const physics = german.filter(({ subject }) => subject === "college_physics");
    expect(await choose("subject", "college_physics")).toBe(physics.length);
    expect(await choose("outcome", "wrong")).toBe(
      physics.filter(({ answer, prediction }) => prediction !== null && prediction !== answer).length,
    );
    // One after the other: what the page is about to count must not be taken for the next count.
    const wrong = rows.filter(({ answer, prediction }) => prediction !== null && prediction !== answer);
    expect(await choose("language", "")).toBe(wrong.filter(({ subject }) => subject === "college_physics").length);
    expect(await choose("subject", "")).toBe(wrong.length);
    expect(await choose("outcome", "unreadable")).toBe(rows.filter(({ prediction }) => prediction === null).length);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("can be used by keyboard from first to last row", async () => {
    const { page, complaints } = await watchedPage(browser);
    await page.goto(`file://${file}`);
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement!.textContent)).toBe("Skip to the content");
    await page.locator("#predictions-view tbody tr[data-place='0']").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    expect(await page.locator("#detail").textContent()).toContain(rows[2]!.id);
    await page.keyboard.press("End");
    expect(await page.locator("#detail").textContent()).toContain(rows.at(-1)!.id);
    expect(await page.evaluate(() => (document.activeElement as HTMLElement).dataset["place"])).toBe(String(ROWS - 1));
    await page.keyboard.press("Escape");
    expect(await page.locator("#detail").textContent()).toBe("");
    await page.keyboard.press("Space");
    expect(await page.locator("#detail").textContent()).toContain(rows.at(-1)!.id);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("has figures that stand on a ground of their own as files, light or dark", async () => {
    const { page } = await watchedPage(browser, { colorScheme: "dark" });
    const [figure] = everyFigure();
    await page.setContent(standalone(figure!).replace(/^<\?xml.*\n/, ""));
    const ground = (): Promise<string> => page.locator("svg").evaluate((svg) => getComputedStyle(svg).backgroundColor);
    expect(await ground()).toBe("rgb(24, 26, 31)");
    await page.emulateMedia({ colorScheme: "light" });
    expect(await ground()).toBe("rgb(255, 255, 255)");
    await page.close();
  });

  it("is light or dark as the reader is, can be switched, and says what figures show", async () => {
    const { page } = await watchedPage(browser, { colorScheme: "dark" });
    await page.goto(`file://${file}`);
    const brightness = (): Promise<number> =>
      page.evaluate(() => Number(/\d+/.exec(getComputedStyle(document.body).backgroundColor)![0]));
    expect(await brightness()).toBeLessThan(80);
    await page.click("#theme");
    expect(await brightness()).toBeGreaterThan(200);
    const figures = await page
      .locator("figure svg")
      .evaluateAll((all) => all.map((svg) => [svg.getAttribute("role"), svg.getAttribute("aria-label")]));
    expect(figures.length).toBeGreaterThan(3);
    for (const [role, label] of figures) expect([role, (label ?? "").length > 20]).toEqual(["img", true]);
    // Headings in order, a label for every field, a name for every table.
    expect(await page.locator("h1").count()).toBe(1);
    expect(
      await page
        .locator("input, select")
        .evaluateAll((all) => all.every((field) => field.closest("label") || field.getAttribute("aria-label"))),
    ).toBe(true);
    expect(await page.locator("body").textContent()).toContain("published 67.6 %");
    await page.emulateMedia({ media: "print" });
    expect(await page.locator(".filters").isVisible()).toBe(false);
    await page.close();
  });

  it("says each accuracy with its interval, and the published figure with a verdict", async () => {
    const { page } = await watchedPage(browser);
    await page.goto(`file://${file}`);
    const { clustered, macroInterval, overall, categories, languages } = evaluationStatistics(rows);
    const shown = ([low, high]: readonly [number, number]): string =>
      `${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)} %`;
    const text = (await page.locator("body").innerText()).replaceAll("\u2060", "").replaceAll("\u00a0", " ");
    for (const interval of [clustered.interval, macroInterval, overall.interval])
      expect(text).toContain(shown(interval));
    const labels = (
      await page.locator("figure svg").evaluateAll((all) => all.map((svg) => svg.getAttribute("aria-label")))
    ).join("\n");
    for (const one of [...categories, ...languages])
      expect(labels).toContain(
        `95 % interval ${(100 * one.clusteredInterval[0]).toFixed(1)} % to ` +
          `${(100 * one.clusteredInterval[1]).toFixed(1)} %`,
      );
    expect(await page.locator("#published").innerText()).toMatch(/67\.59 %\s+65\.33 %\s+64\.0\W+66\.0\W+differs/);
    await page.close();
  });

  it.each(["", ...installedFonts])(
    "holds at every width with the font %j: no text of a figure cut off or printed over another, nothing that " +
      "reaches over the page",
    async (font) => {
      const { page } = await watchedPage(browser);
      await page.goto(`file://${file}`);
      if (font) await page.addStyleTag({ content: `*, svg * { font-family: "${font}", sans-serif !important }` });
      await page.locator("details").evaluateAll((all) => {
        for (const one of all) (one as HTMLDetailsElement).open = true;
      });
      for (const width of [1920, 1280, 1024, 768, 600, 390, 360, 320]) {
        await page.setViewportSize({ width, height: 900 });
        expect(await figureFaults(page)).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
        // On a telephone all is seen without scrolling sideways, on others the headline and the figures are.
        const sideways = width <= 600 ? ".scroll" : "header .scroll, figure .scroll";
        expect(
          await page
            .locator(sideways)
            .evaluateAll((all) =>
              all.filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.textContent!.slice(0, 80)),
            ),
        ).toEqual([]);
        expect(await smallestText(page)).toBeGreaterThan(width <= 600 ? 9.5 : 8.5);
        const cut = await page
          .locator(".tile > *, h1, h2, h3, figcaption, nav a, button, label, summary, p")
          .evaluateAll((all) =>
            all
              .filter(
                (node) =>
                  (node as HTMLElement).offsetParent &&
                  node.scrollWidth > node.clientWidth + 1 &&
                  getComputedStyle(node).display !== "inline",
              )
              .map((node) => node.textContent),
          );
        expect(cut).toEqual([]);
      }
      await page.close();
    },
  );

  it("keeps the rules of accessible pages: landmarks, headings in order, named scrollers, contrast", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const { page } = await watchedPage(browser, { colorScheme, viewport: { width: 390, height: 800 } });
      await page.goto(`file://${file}`);
      const found = await page.evaluate(() => {
        const levels = [...document.querySelectorAll("h1,h2,h3,h4")].map((heading) => Number(heading.tagName[1]));
        const luminance = (colour: string): number => {
          const [r, g, b] = colour
            .match(/[\d.]+/g)!
            .slice(0, 3)
            .map((one) => Number(one) / 255)
            .map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)) as [number, number, number];
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const ground = (node: Element | null): string => {
          for (let at = node; at; at = at.parentElement)
            if (!getComputedStyle(at).backgroundColor.includes(", 0)")) return getComputedStyle(at).backgroundColor;
          return "rgb(255, 255, 255)";
        };
        const faint = [
          ...document.querySelectorAll(
            "p,dt,dd,th,td,li,a,label,summary,figcaption,.soft,.right,.wrong,.unreadable,button,footer",
          ),
        ]
          .filter((node) => {
            if (!node.textContent?.trim()) return false;
            const [a, b] = [luminance(getComputedStyle(node).color), luminance(ground(node))];
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
          })
          .map((node) => node.outerHTML.slice(0, 80));
        return {
          landmarks: ["header", "main", "nav", "footer"].map((name) => document.querySelectorAll(name).length),
          skips: levels.filter((level, index) => index > 0 && level > levels[index - 1]! + 1).length,
          unnamed: [...document.querySelectorAll(".scroll")].filter(
            (box) =>
              box.scrollWidth > box.clientWidth + 1 &&
              !((box as HTMLElement).tabIndex === 0 && box.getAttribute("aria-label")),
          ).length,
          emptyHeadings: [...document.querySelectorAll("th")].filter((cell) => !cell.textContent?.trim()).length,
          faint,
        };
      });
      expect(found).toEqual({ landmarks: [1, 1, 1, 1], skips: 0, unnamed: 0, emptyHeadings: 0, faint: [] });
      await page.close();
    }
  });

  it("prints all unfolded, at one size, within the paper, on white whatever the screen's colours are", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      // A4 less the browser's own margins.
      const { page, complaints } = await watchedPage(browser, { colorScheme, viewport: { width: 718, height: 1000 } });
      await page.goto(`file://${file}`);
      await page.waitForSelector("#predictions-view tbody tr[data-place]");
      await page.emulateMedia({ media: "print", colorScheme });
      const printed = await page.evaluate(() => {
        const all = (selector: string): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(selector)];
        const { backgroundColor, color } = getComputedStyle(document.body);
        const isSeen = (element: Element): boolean =>
          element.checkVisibility() && element.getBoundingClientRect().height > 0;
        const scales = [...document.querySelectorAll<SVGSVGElement>("figure svg")]
          .filter(isSeen)
          .map((svg) => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width);
        return {
          colours: [backgroundColor, color],
          folded: all("details").filter((one) => ![...one.children].slice(1).every(isSeen)).length,
          unfolded: all("details").length,
          apart: Math.max(...scales) / Math.min(...scales),
          tooWide: all("main *, header *")
            .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && isSeen(one))
            .map((one) => `${one.tagName} ${one.textContent.slice(0, 30)}`),
          controls: all("nav, #theme, .filters, #detail").filter(isSeen).length,
          toldOfRows: all(".on-paper").every(isSeen),
          cutRows: all(".viewport").filter((one) => one.scrollHeight > one.clientHeight + 1).length,
        };
      });
      expect(printed).toEqual({
        colours: ["rgb(255, 255, 255)", "rgb(0, 0, 0)"],
        folded: 0,
        unfolded: expect.any(Number),
        apart: expect.any(Number),
        tooWide: [],
        controls: 0,
        toldOfRows: true,
        cutRows: 0,
      });
      expect(printed.unfolded).toBeGreaterThan(3);
      expect(printed.apart).toBeLessThan(1.06);
      const pdf = (await page.pdf({ format: "A4" })).toString("latin1");
      // 30,000 rows are no 30,000 lines on paper.
      const pages = pdf.match(/\/Type \/Page\b/g)?.length ?? 0;
      expect([pdf.startsWith("%PDF-"), pages > 3, pages < 40]).toEqual([true, true, true]);
      expect(complaints).toEqual([]);
      await page.close();
    }
  });
});
