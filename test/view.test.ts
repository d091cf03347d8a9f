import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveRuns, type Viewer } from "../src/report/index.js";
import { chromiumPath, launchBrowser, watchedPage } from "./browser.js";
import { mmmlu } from "./command.js";

const outputs = mkdtempSync(join(tmpdir(), "mmmlu-view-"));
const at = (...names: string[]): string => join(outputs, ...names);
let viewer: Viewer;
let browser: Browser;

beforeAll(async () => {
  for (const name of ["longest", "random"])
    expect(
      (
        await mmmlu([
          "run",
          "gemma-3-27b-baseline",
          "--sample",
          "--model",
          `baseline:${name}`,
          "--set",
          `name=${name}`,
          "--out",
          at(name),
        ])
      ).code,
    ).toBe(0);
  // A run that is still going.
  mkdirSync(at("going"));
  writeFileSync(
    at("going", "run.json"),
    JSON.stringify({
      format: 1,
      name: "going",
      configurationHash: "x",
      configuration: { kind: "finetune" },
      started: new Date().toISOString(),
      process: 1,
    }),
  );
  writeFileSync(
    at("going", "train-log.jsonl"),
    [1, 2]
      .map(
        (step) =>
          `${JSON.stringify({ step, loss: 2 / step, learningRate: 1e-3, epoch: 0.1, seconds: 1, gradientNorm: 1, rowsPerSecond: 1 })}\n`,
      )
      .join(""),
  );
  // An exploration has nothing to compare; an older format; one whose predictions are gone.
  expect((await mmmlu(["run", "eda", "--sample", "--languages", "DE_DE", "--out", at("explored")])).code).toBe(0);
  cpSync(at("longest"), at("older"), { recursive: true });
  writeFileSync(
    at("older", "manifest.json"),
    JSON.stringify({ ...JSON.parse(readFileSync(at("longest", "manifest.json"), "utf8")), format: 0 }),
  );
  cpSync(at("longest"), at("gone"), { recursive: true });
  rmSync(at("gone", "predictions.jsonl"));
  viewer = await serveRuns(outputs, { port: 0 });
  if (chromiumPath) browser = await launchBrowser();
});
afterAll(async () => {
  await viewer?.close();
  await browser?.close();
  rmSync(outputs, { recursive: true, force: true });
});

describe.skipIf(!chromiumPath)("mmmlu view, in Chromium", () => {
  it("lists runs, opens one, compares two", async () => {
    const { page, complaints } = await watchedPage(browser);
    await page.goto(viewer.url);
    expect(await page.locator("tbody tr").count()).toBe(6);
    await page.getByRole("link", { name: "longest" }).click();
    expect(await page.locator("h1").textContent()).toBe("longest");
    await page.goBack();
    await page.getByLabel("compare longest").check();
    await page.getByLabel("compare random").check();
    await page.getByRole("button", { name: "Compare the chosen runs" }).click();
    expect(await page.locator("h1").textContent()).toContain("Comparison of");
    expect(await page.locator("body").textContent()).toContain("McNemar");
    await page.getByRole("link", { name: "All runs" }).click();
    expect(await page.locator("h1").textContent()).toBe("Runs");
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("follows a run that is still going", async () => {
    const { page, complaints } = await watchedPage(browser);
    await page.goto(`${viewer.url}run/going`);
    expect(await page.locator("#live-body").textContent()).toContain("loss 1.0000");
    appendFileSync(
      at("going", "train-log.jsonl"),
      `${JSON.stringify({ step: 3, loss: 0.125, learningRate: 1e-3, epoch: 0.1, seconds: 1, gradientNorm: 1, rowsPerSecond: 1 })}\n`,
    );
    await page.waitForFunction(() => document.getElementById("live-body")!.textContent!.includes("loss 0.1250"));
    // It comes to its end: the page becomes its report.
    cpSync(at("longest"), at("going"), { recursive: true });
    await page.waitForSelector("#predictions");
    rmSync(at("going", "manifest.json"));
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("tells how far a run that asks questions is, its accuracy so far, and that nobody runs it", async () => {
    const { page, complaints } = await watchedPage(browser);
    cpSync(at("random"), at("asking"), { recursive: true });
    rmSync(at("asking", "manifest.json"));
    const lines = readFileSync(at("random", "replies.jsonl"), "utf8").trimEnd().split("\n").slice(0, 10);
    writeFileSync(at("asking", "replies.jsonl"), `${lines.join("\n")}\n{"half`);
    await page.goto(`${viewer.url}run/asking`);
    const rows = lines.flatMap((line) => (JSON.parse(line) as { ids: string[] }).ids).length;
    const text = await page.locator("#live-body").innerText();
    expect(text).toMatch(new RegExp(`${rows}\\s+of \\d+ test rows`));
    expect(text).toMatch(/not running[^]*the same command goes on/);
    expect(await page.getByRole("img").getAttribute("aria-label")).toMatch(/Accuracy so far.*95 % interval/);
    rmSync(at("asking"), { recursive: true });
    expect(complaints).toEqual([]);
    await page.close();
  });
});

describe("what cannot be shown or compared is said", () => {
  it("a page that is not there, and another site's name", async () => {
    expect((await fetch(`${viewer.url}run/nothing`)).status).toBe(404);
    expect((await fetch(`${viewer.url}run/..%2F..%2Fetc`)).status).toBe(404);
    expect((await fetch(`${viewer.url}run/%E0%A4%A`)).status).toBe(404);
    const older = await fetch(`${viewer.url}run/older`);
    expect([older.status, await older.text()]).toEqual([
      400,
      expect.stringContaining("format 0 is not one that this version reads"),
    ]);
    const gone = await fetch(`${viewer.url}compare?run=gone&run=longest`);
    expect([gone.status, await gone.text()]).toEqual([400, expect.stringContaining("has no predictions.jsonl")]);
    const one = await fetch(`${viewer.url}compare?run=longest`);
    expect([one.status, await one.text()]).toEqual([400, expect.stringContaining("choose two runs")]);
  });

  it("a port that is taken", async () => {
    const { code, error } = await mmmlu(["view", outputs, "--port", new URL(viewer.url).port]);
    expect(code).toBe(1);
    expect(error).toMatch(/port \d+ on 127\.0\.0\.1 is taken[^]*--port 0/);
  });

  it.each([
    ["a folder that is not there", "absent", /there is no folder/],
    ["a run that is not complete", "going", /is not complete[^]*same command again/],
    ["an older format", "older", /format 0 is not one that this version reads/],
    ["a run of another kind", "explored", /has no predictions\.jsonl[^]*answers no questions/],
    ["metrics without predictions", "gone", /has no predictions\.jsonl[^]*is not whole/],
    ["a stage that it has not", "longest:final", /has no answers of stage "final"[^]*It has: test/],
  ])("%s", async (_what, name, message) => {
    const { code, error } = await mmmlu(["compare", at("random"), at(name), "--out", at("comparison.html")]);
    expect(code).toBe(1);
    expect(error).toMatch(message);
  });

  it("runs without common rows", async () => {
    expect(
      (
        await mmmlu([
          "run",
          "gemma-3-27b-baseline",
          "--sample",
          "--languages",
          "IT_IT",
          "--model",
          "baseline:longest",
          "--out",
          at("italian"),
        ])
      ).code,
    ).toBe(0);
    const { code, error } = await mmmlu(["compare", at("random"), at("italian"), "--out", at("comparison.html")]);
    expect([code, error]).toEqual([1, expect.stringMatching(/have no row in common/)]);
  });
});
