import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LANGUAGES, LETTERS, SUBJECTS } from "../src/data/index.js";
import { evaluationMetrics, evaluationStatistics, type Prediction } from "../src/evaluate/index.js";
import { answersReport } from "../src/report/index.js";
import { chromiumPath, launchBrowser, watchedPage } from "./browser.js";

const ROWS = 30_000;
const HOSTILE = `<img src=x onerror="alert('reply')"></script><script>alert('script')</script>`;

/** 30,000 answers, the sixth with markup in its reply. */
function predictions(): Prediction[] {
  return Array.from({ length: ROWS }, (_, i) => {
    const [language, subject] = [LANGUAGES[i % 14]!, SUBJECTS[Math.floor(i / 14) % 57]!];
    const answer = LETTERS[i % 4]!;
    const prediction = i % 50 === 5 ? null : i % 3 ? answer : LETTERS[(i + 1) % 4]!;
    return { id: `${language}/${subject}/${Math.floor(i / 798)}`, language, subject, answer, prediction, reply: i === 5 ? HOSTILE : (prediction ?? "I cannot tell"), stage: "test" };
  });
}

const folder = mkdtempSync(join(tmpdir(), "mmmlu-report-"));
const file = join(folder, "report.html");
const rows = predictions();
let browser: Browser;

beforeAll(async () => {
  const { confusion } = evaluationMetrics(rows);
  const { html } = answersReport(
    { name: "big", description: HOSTILE, configuration: { note: HOSTILE }, manifest: { kind: "evaluate", seeds: {}, sample: false, notes: [HOSTILE] }, facts: [["Data", HOSTILE]], protocolDifferences: [] },
    { stages: [{ stage: "test", statistics: evaluationStatistics(rows), confusion, published: 0.6759 }], predictions: rows, texts: {}, audit: { kind: "published", audit: { rows: ROWS, translationInTrain: 20_000, duplicateInTrain: 10, either: 20_005 } } },
  );
  writeFileSync(file, html);
  if (chromiumPath) browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(!chromiumPath)("a report of 30,000 answers, in Chromium", () => {
  it("opens quickly, asks nothing of a network, and shows markup as text", async () => {
    const { page, complaints } = await watchedPage(browser);
    const began = performance.now();
    await page.goto(`file://${file}`);
    await page.waitForSelector("#predictions-view tbody tr[data-place]");
    expect((performance.now() - began) / 1000).toBeLessThan(10);
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

  it("filters by language, subject and outcome, the counts right, each in less than a second", async () => {
    const { page, complaints } = await watchedPage(browser);
    await page.goto(`file://${file}`);
    const choose = async (name: string, value: string): Promise<number> => {
      const before = await page.locator("#predictions-count").textContent();
      const began = performance.now();
      await page.selectOption(`#filter-${name}`, value);
      await page.waitForFunction((text) => document.getElementById("predictions-count")!.textContent !== text, before);
      expect(performance.now() - began).toBeLessThan(1000);
      return Number((await page.locator("#predictions-count").textContent())!.split(" ")[0]!.replaceAll(",", ""));
    };
    const german = rows.filter(({ language }) => language === "DE_DE");
    expect(await choose("language", "DE_DE")).toBe(german.length);
    const physics = german.filter(({ subject }) => subject === "college_physics");
    expect(await choose("subject", "college_physics")).toBe(physics.length);
    expect(await choose("outcome", "wrong")).toBe(physics.filter(({ answer, prediction }) => prediction !== null && prediction !== answer).length);
    await page.selectOption("#filter-language", "");
    await page.selectOption("#filter-subject", "");
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
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("is light or dark as the reader is, can be switched, and says what figures show", async () => {
    const { page } = await watchedPage(browser, { colorScheme: "dark" });
    await page.goto(`file://${file}`);
    const brightness = (): Promise<number> => page.evaluate(() => Number(/\d+/.exec(getComputedStyle(document.body).backgroundColor)![0]));
    expect(await brightness()).toBeLessThan(80);
    await page.click("#theme");
    expect(await brightness()).toBeGreaterThan(200);
    const figures = await page.locator("figure svg").evaluateAll((all) => all.map((svg) => [svg.getAttribute("role"), svg.getAttribute("aria-label")]));
    expect(figures.length).toBeGreaterThan(3);
    for (const [role, label] of figures) expect([role, (label ?? "").length > 20]).toEqual(["img", true]);
    // Headings in order, a label for every field, a name for every table.
    expect(await page.locator("h1").count()).toBe(1);
    expect(await page.locator("input, select").evaluateAll((all) => all.every((field) => field.closest("label") || field.getAttribute("aria-label")))).toBe(true);
    expect(await page.locator("body").textContent()).toContain("published 67.6 %");
    await page.emulateMedia({ media: "print" });
    expect(await page.locator(".filters").isVisible()).toBe(false);
    await page.close();
  });

  it("fits a narrow screen", async () => {
    const { page } = await watchedPage(browser, { viewport: { width: 390, height: 800 } });
    await page.goto(`file://${file}`);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(400);
    await page.close();
  });
});
