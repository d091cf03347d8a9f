import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
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

/** What the viewer answers under headers that fetch does not let one set. */
const statusUnder = (headers: Record<string, string>): Promise<number> =>
  new Promise((resolve, reject) => {
    request(viewer.url, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    })
      .on("error", reject)
      .end();
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

  it("sorts, filters and groups by keyboard alone, at three widths, light and dark; folds what was moved aside", async () => {
    const aside = "longest.before-2026-11-01T00-00-00-000Z";
    cpSync(at("longest"), at(aside), { recursive: true });
    for (const [width, colorScheme] of [
      [1280, "light"],
      [768, "dark"],
      [390, "dark"],
    ] as const) {
      const { page, complaints } = await watchedPage(browser, { colorScheme, viewport: { width, height: 900 } });
      await page.goto(viewer.url);
      const names = (): Promise<(string | null)[]> =>
        page.locator("#runs-table tbody tr td:first-child a").allTextContents();
      expect((await names()).length).toBe(6);
      expect(await page.getByRole("link", { name: aside }).isVisible()).toBe(false);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      if (width > 600) {
        await page.locator("#runs-table thead button").first().focus();
        await page.keyboard.press("Enter");
        expect(await names()).toEqual([...(await names())].sort());
        await page.keyboard.press("Enter");
        expect(await names()).toEqual([...(await names())].sort().reverse());
      }
      await page.fill("#runs-search", "baseline:random");
      expect(await names()).toEqual(["random"]);
      await page.fill("#runs-search", "");
      await page.selectOption("#runs-group", "model");
      const groups = await page.locator("#runs-table tbody th").allTextContents();
      expect(groups).toContain("model: baseline:random (1)");
      expect(complaints).toEqual([]);
      await page.close();
    }
    rmSync(at(aside), { recursive: true });
  });

  it("says where the configurations of two runs differ", async () => {
    const { page, complaints } = await watchedPage(browser);
    await page.goto(`${viewer.url}differences?run=longest&run=random`);
    const text = await page.locator("#configurations").innerText();
    expect(text).toContain("answerer.model");
    expect(text).toContain('"baseline:random"');
    expect(text).not.toContain("temperature");
    await page.goto(`${viewer.url}differences?run=longest`);
    expect(await page.locator("h1").textContent()).toContain("choose two runs or more");
    expect(complaints.filter((one) => !one.includes("400"))).toEqual([]);
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

  it("what would change something, or comes from another site's page", async () => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const refused = await fetch(viewer.url, { method });
      expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    }
    const head = await fetch(viewer.url, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(Number(head.headers.get("content-length"))).toBeGreaterThan(1000);
    expect(await statusUnder({ host: "evil.example" })).toBe(403);
    expect(await statusUnder({ origin: "http://evil.example" })).toBe(403);
    expect(await statusUnder({ "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" })).toBe(403);
    expect(await statusUnder({})).toBe(200);
  });

  it("every answer says what its page may do, a report's file nothing with this server", async () => {
    const policyOf = async (path: string): Promise<string> =>
      (await fetch(viewer.url + path)).headers.get("content-security-policy")!;
    for (const path of ["", "run/longest", "run/going", "live/going", "compare?run=longest", "run/none", "run/older"])
      expect(await policyOf(path)).toMatch(/default-src 'none';.*base-uri 'none'.*frame-ancestors 'none'/);
    expect(await policyOf("run/longest")).toMatch(/^sandbox allow-scripts/);
    expect(await policyOf("run/longest")).not.toContain("allow-same-origin");
    expect(await policyOf("")).not.toMatch(/script-src[^;]*unsafe/);
    expect(await policyOf("")).not.toBe(await policyOf(""));
  });

  it("files that are damaged, of another shape, links out of the folder, or pipes: each is one run's fault", async () => {
    const good = JSON.parse(readFileSync(at("longest", "run.json"), "utf8")) as Record<string, unknown>;
    const manifest = JSON.parse(readFileSync(at("longest", "manifest.json"), "utf8")) as Record<string, unknown>;
    const metrics = JSON.parse(readFileSync(at("longest", "metrics.json"), "utf8")) as Record<string, unknown>;
    const json = (file: string, value: unknown) => (): void => writeFileSync(at("odd", file), JSON.stringify(value));
    const link = (file: string, to: string) => (): void => {
      rmSync(at("odd", file), { force: true });
      symlinkSync(to, at("odd", file));
    };
    const pipe = (file: string) => (): void => {
      rmSync(at("odd", file), { force: true });
      execFileSync("mkfifo", [at("odd", file)]);
    };
    const cases: [string, () => void, RegExp][] = [
      ["", json("run.json", { configuration: {} }), /run\.json: (format|name)/],
      ["", json("run.json", null), /run\.json: expected/],
      ["", json("run.json", [good]), /run\.json: expected/],
      ["", json("run.json", { ...good, started: 7 }), /started/],
      ["", json("manifest.json", null), /manifest\.json: expected/],
      ["", json("manifest.json", { ...manifest, sample: "no" }), /sample/],
      ["", json("manifest.json", { ...manifest, notes: null }), /notes/],
      ["", json("metrics.json", { ...metrics, accuracy: "0.5" }), /metrics\.json: accuracy/],
      ["", json("metrics.json", { ...metrics, accuracy: 7 }), /metrics\.json: accuracy/],
      ["", json("metrics.json", { final: null }), /metrics\.json: final/],
      ["", () => writeFileSync(at("odd", "metrics.json"), "{"), /metrics\.json is not JSON/],
      ["", () => writeFileSync(at("odd", "metrics.json"), "[".repeat(1e6)), /metrics\.json is not JSON/],
      ["", link("run.json", "/etc/passwd"), /link that leads out/],
      ["", link("metrics.json", "/etc/passwd"), /link that leads out/],
      ["", link("manifest.json", at("nowhere")), /cannot read .*manifest\.json/],
      ["", pipe("run.json"), /no plain file/],
      ["", pipe("metrics.json"), /no plain file/],
      ["run/odd", link("report.html", "/etc/passwd"), /link that leads out/],
      ["run/odd", pipe("report.html"), /no plain file/],
      ["compare?run=odd&run=longest", pipe("predictions.jsonl"), /no plain file/],
      ["compare?run=odd&run=longest", json("predictions.jsonl", null), /predictions\.jsonl:1: expected/],
      ["compare?run=odd&run=longest", json("predictions.jsonl", { id: "x" }), /predictions\.jsonl:1: language/],
    ];
    for (const [path, damage, message] of cases) {
      rmSync(at("odd"), { recursive: true, force: true });
      cpSync(at("longest"), at("odd"), { recursive: true });
      damage();
      const reply = await fetch(viewer.url + path);
      const text = (await reply.text()).replaceAll("&#39;", "'");
      expect([message.source, reply.status, message.test(text)]).toEqual([message.source, path ? 400 : 200, true]);
      expect(text).not.toContain("root:x:");
      const list = await (await fetch(viewer.url)).text();
      for (const name of ["longest", "random", "explored"]) expect(list).toContain(`href="/run/${name}"`);
    }
    // A byte order mark, and keys of a later version, are no fault.
    rmSync(at("odd"), { recursive: true, force: true });
    cpSync(at("longest"), at("odd"), { recursive: true });
    for (const file of ["run.json", "manifest.json", "metrics.json"]) {
      const value = JSON.parse(readFileSync(at("odd", file), "utf8")) as object;
      writeFileSync(at("odd", file), `\ufeff${JSON.stringify({ ...value, ofALaterVersion: {} })}`);
    }
    expect((await fetch(`${viewer.url}run/odd`)).status).toBe(200);
    // A run that still goes on: lines that are none are passed over, a pipe is told.
    rmSync(at("odd", "manifest.json"));
    writeFileSync(at("odd", "train-log.jsonl"), 'null\n7\n{"step":"x"}\n');
    writeFileSync(at("odd", "replies.jsonl"), 'null\n{}\n{"stage":7,"ids":3}\n');
    expect((await fetch(`${viewer.url}run/odd`)).status).toBe(200);
    pipe("lock")();
    expect((await fetch(viewer.url)).status).toBe(200);
    pipe("replies.jsonl")();
    expect((await fetch(`${viewer.url}live/odd`)).status).toBe(400);
    rmSync(at("odd"), { recursive: true });
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
