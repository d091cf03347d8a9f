import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveRuns, type Viewer } from "../src/report/index.js";
import { LANGUAGES } from "../src/tasks/index.js";
import { chromiumPath, launchBrowser, watchedPage } from "./browser.js";
import { mmmlu } from "./command.js";
import { makeRun } from "./made-runs.js";

const outputs = mkdtempSync(join(tmpdir(), "mmmlu-leaderboard-"));
const at = (...names: string[]): string => join(outputs, ...names);

beforeAll(() => {
  makeRun(at("first"), { model: "small", languages: ["DE_DE", "FR_FR"], skill: 0.5 });
  // The same model by the same protocol in other languages, and again in one of them.
  makeRun(at("second"), { model: "small", languages: ["YO_NG"], skill: 0.4, seed: 2 });
  makeRun(at("again"), { model: "small", languages: ["YO_NG"], skill: 0.45, seed: 3 });
  const furtherStages = ["test.order-1", "test.order-1.repeat-1", "test.repeat-1"];
  makeRun(at("large"), { model: "large", languages: ["DE_DE", "FR_FR"], skill: 0.8, furtherStages });
  const protocol = {
    ...{ name: "simple-evals", prompt: "simple-evals", instruction: null, systemMessage: null, template: null },
    ...{ questionsPerRequest: 1, shots: 0, shotSource: null, shotLanguage: null, temperature: 0.5, maxTokens: 2048 },
    ...{ answerExtraction: "simple-evals", permutations: 1, repeats: 1 },
  };
  makeRun(at("tuned"), { model: "tuned", languages: [...LANGUAGES], skill: 0.75, manifest: { protocol } });
  makeRun(at("sample"), { model: "tiny", languages: ["DE_DE"], skill: 0.3, manifest: { sample: true } });
  // What cannot be read, is not complete, or is no run.
  mkdirSync(at("broken"));
  writeFileSync(at("broken", "run.json"), "{");
  makeRun(at("damaged"), { model: "small", languages: ["IT_IT"], skill: 0.5 });
  writeFileSync(at("damaged", "predictions.jsonl"), "{}\n");
  makeRun(at("cut"), { model: "small", languages: ["IT_IT"], skill: 0.5 });
  const whole = readFileSync(at("cut", "predictions.jsonl"), "utf8").split("\n");
  writeFileSync(at("cut", "predictions.jsonl"), `${whole.slice(0, 3).join("\n")}\n`);
  makeRun(at("bare"), { model: "small", languages: ["IT_IT"], skill: 0.5 });
  rmSync(at("bare", "predictions.jsonl"));
  makeRun(at("going"), { model: "small", languages: ["IT_IT"], skill: 0.5 });
  rmSync(at("going", "manifest.json"));
  mkdirSync(at("notes"));
});
afterAll(() => rmSync(outputs, { recursive: true, force: true }));

describe("mmmlu leaderboard", () => {
  it("puts runs together, beside the published figures, and says what is left out", async () => {
    const { code, out, error } = await mmmlu(["leaderboard", outputs, "--format", "json"]);
    expect(code).toBe(0);
    expect(error).toMatch(/mmmlu: broken is left out: .*not JSON/);
    expect(error).toMatch(/mmmlu: damaged is left out: /);
    expect(error).toMatch(/mmmlu: cut is left out: its predictions\.jsonl holds 3 of the \d+ rows measured \(test\)/);
    expect(error).toMatch(/mmmlu: bare is left out: it has no predictions\.jsonl/);
    expect(error).toMatch(/mmmlu: going is left out: it is not complete/);
    const { sections } = JSON.parse(out);
    expect(sections.map((one: { protocol: string; sample: boolean }) => [one.protocol, one.sample])).toEqual([
      ["questions", false],
      ["simple-evals", false],
      ["questions", true],
    ]);
    const rows = sections[0].rows.map(({ model, runs, n }: { model: string; runs: string[]; n: number }) => [
      model,
      runs,
      n,
    ]);
    expect(rows).toEqual([
      ["large", ["large"], 400],
      ["small", ["first", "second"], 600],
      ["small", ["again"], 200],
    ]);
    expect(sections[1].rows.filter(({ source }: { source: string }) => source === "published")).toHaveLength(10);
    expect(sections[1].rows.find(({ model }: { model: string }) => model === "tuned")).toMatchObject({
      n: 14 * 200,
      cautions: [{ sign: "†" }],
    });
  });

  it("as a table: columns, categories, subjects, languages, sorting, without the published", async () => {
    const run = (...words: string[]) => mmmlu(["leaderboard", outputs, ...words]);
    expect((await run("--columns", "categories")).out).toMatch(/\| STEM +\| humanities/);
    const subject = (await run("--subject", "sociology", "--languages", "DE_DE,FR_FR", "--intervals")).out;
    expect(subject).not.toContain("(published)");
    expect(subject).toMatch(/large +\| all +\| +100 \|( +\d+\.\d \(\d+\.\d–\d+\.\d\) \|){4}$/m);
    const sorted = (await run("--no-published", "--sort", "model", "--format", "csv")).out.split("\r\n");
    const modelOf = (line: string) => /,(\w+),(?:run|source),/.exec(line)?.[1];
    expect(sorted.map(modelOf)).toEqual(["model", "large", "small", "small", "tuned", "tiny", undefined]);
    expect((await run("--format", "latex")).out).toMatch(/\\begin\{tabular\}/);
  });

  it.each([
    [["nowhere"], 1, /there is no folder nowhere/],
    [[outputs, "--sort", "DE_DDE"], 2, /--sort DE_DDE: there is no such; did you mean DE_DE/],
    [[outputs, "--languages", "XX_YY"], 2, /--languages XX_YY: there is no such/],
    [[outputs, "--category", "arts"], 2, /--category arts.*\n.*STEM/],
    [[outputs, "--subject", "anatomie"], 2, /did you mean anatomy/],
    [[outputs, "--format", "xls"], 2, /Allowed choices are markdown, csv, latex, json/],
    [["test", "--no-published"], 1, /test holds no finished run with answers/],
  ])("%j", async (words, expected, message) => {
    const { code, error } = await mmmlu(["leaderboard", ...words]);
    expect([code, error]).toEqual([expected, expect.stringMatching(message)]);
  });
});

describe.skipIf(!chromiumPath)("the leaderboard's page, in Chromium", () => {
  let viewer: Viewer;
  let browser: Browser;
  beforeAll(async () => {
    viewer = await serveRuns(outputs, { port: 0 });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await viewer?.close();
    await browser?.close();
  });

  /** Of each heated cell: its accuracy, its ground's lightness (0 to 1), and its text's contrast. */
  const heat = (page: Page, table: string) =>
    page.locator(`${table} td.heat`).evaluateAll((cells) => {
      const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true })!;
      const luminance = (colour: string): number => {
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) => {
          const share = value / 255;
          return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
      };
      return cells.map((cell) => {
        const { backgroundColor, color } = getComputedStyle(cell);
        const [ground, text] = [luminance(backgroundColor), luminance(color)];
        return {
          accuracy: Number.parseFloat(cell.firstChild!.textContent!),
          ground,
          contrast: (Math.max(ground, text) + 0.05) / (Math.min(ground, text) + 0.05),
        };
      });
    });

  it("shows what the command shows; sorts, chooses columns and rows; leads to the run", async () => {
    const { page, complaints } = await watchedPage(browser);
    await page.goto(viewer.url);
    await page.getByRole("link", { name: "Leaderboard" }).click();
    expect(await page.locator("h1").textContent()).toBe("Leaderboard");
    expect(await page.locator("section h2").allTextContents()).toEqual([
      "mmmlu, protocol questions, 0-shot",
      "mmmlu, protocol simple-evals, 0-shot",
      expect.stringContaining("embedded sample"),
      "Left out",
    ]);
    const models = () => page.locator("#board-1 tbody th").allTextContents();
    expect((await models()).map((text) => text.split(" ")[0])).toEqual(["large", "small", "small"]);
    await page.locator("#board-1").getByRole("link", { name: "YO_NG" }).click();
    expect((await models()).map((text) => text.split(" ")[0])).toEqual(["small", "small", "large"]);
    expect(await page.locator("#board-1 th[aria-sort]").textContent()).toBe("YO_NG ▾");
    await page.locator("select[name=columns]").selectOption("categories");
    await page.locator("select[name=subject]").selectOption("sociology");
    await page.getByLabel("DE_DE").check();
    await page.locator("select[name=intervals]").selectOption("yes");
    await page.getByRole("button", { name: "Show" }).click();
    expect(await page.locator("#board-1 thead th").allTextContents()).toEqual(
      ["rank", "model", "split", "rows", "mean", "all rows", "social sciences"].map((name) =>
        expect.stringContaining(name),
      ),
    );
    expect(await page.locator("#board-1 tbody tr").first().locator("td.number").first().textContent()).toBe("50");
    const [download] = await Promise.all([
      page.waitForResponse((response) => response.url().includes("/leaderboard/markdown")),
      page.getByRole("link", { name: "markdown" }).click(),
    ]);
    expect(await download.text()).toMatch(/\| +social sciences/);
    await page.goto(new URL("/leaderboard?columns=nonsense&sort=nonsense&language=XX", viewer.url).href);
    expect(await page.locator("h2").first().textContent()).toBe("Nothing to show");
    expect((await fetch(new URL("/leaderboard/exe", viewer.url))).status).toBe(404);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it.each([
    ["light", 1600],
    ["light", 820],
    ["dark", 390],
    ["dark", 1280],
  ] as const)(
    "%s, %i wide: higher is further from the ground in lightness alone, texts are readable",
    async (scheme, width) => {
      const { page, complaints } = await watchedPage(browser, {
        viewport: { width, height: 900 },
        colorScheme: scheme,
        deviceScaleFactor: 1,
      });
      await page.goto(new URL("/leaderboard", viewer.url).href);
      const cells = (await heat(page, "#board-2")).sort((a, b) => a.accuracy - b.accuracy);
      expect(cells.length).toBeGreaterThan(150);
      expect(Math.min(...cells.map(({ contrast }) => contrast))).toBeGreaterThan(4.5);
      // The higher the accuracy, the darker the ground, or on dark the lighter; by steps of eight bits.
      const sign = scheme === "light" ? -1 : 1;
      for (const [at, cell] of cells.slice(1).entries())
        expect(sign * (cell.ground - cells[at]!.ground)).toBeGreaterThan(-0.01);
      expect(sign * (cells.at(-1)!.ground - cells[0]!.ground)).toBeGreaterThan(0.08);
      const section = page.locator("#board-2");
      // Nothing of the page itself scrolls sideways; the tables do, with the model's name in view.
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      const scroll = section.locator(".scroll");
      await scroll.evaluate((box) => box.scrollTo(10_000, 0));
      const name = await section.locator("tbody th").first().boundingBox();
      expect(name!.x).toBeGreaterThanOrEqual(0);
      expect(name!.x).toBeLessThan(width / 2);
      if (process.env.SCREENSHOTS)
        await page.screenshot({
          path: join(process.env.SCREENSHOTS, `leaderboard-${scheme}-${width}.png`),
          fullPage: true,
        });
      expect(complaints).toEqual([]);
      await page.close();
    },
  );
});
