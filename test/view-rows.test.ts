import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silent } from "../src/base/progress.js";
import type { Prediction } from "../src/evaluate/index.js";
import { promptWriter, questionReader } from "../src/experiments/index.js";
import { serveRuns, type Viewer } from "../src/report/index.js";
import { chromiumPath, launchBrowser, watchedPage } from "./browser.js";
import {
  type ChatImitation,
  type ImitatedRequest,
  letterByQuestion,
  startChatImitation,
} from "./chat-imitation/server.js";
import { mmmlu } from "./command.js";

/*
 * A row's whole exchange in `mmmlu view`, over runs that asked a server which kept what it was sent.
 */

const outputs = mkdtempSync(join(tmpdir(), "mmmlu-view-rows-"));
const at = (...names: string[]): string => join(outputs, ...names);
const results = fileURLToPath(new URL("fixtures/results", import.meta.url));
const HOSTILE = `\u001b[1m<img src=x onerror="alert('reply')"></script><script>alert('script')</script>`;
/** What the server was sent, by the last message. */
const sent = new Map<string, ImitatedRequest>();
let server: ChatImitation;
let viewer: Viewer;
let browser: Browser;

const run = async (name: string, ...flags: string[]): Promise<void> => {
  const { code, error } = await mmmlu(
    [
      ...["run", "gemma-3-27b-baseline", "--sample", "--set", `name=${name}`, "--set", "data.rowsPerLanguage=40"],
      ...["--set", "answerer.questionsPerRequest=1", "--out", at(name), ...flags],
    ],
    { environment: { LMSTUDIO_ENDPOINT: server.url } },
  );
  expect([name, code, error.slice(-500)]).toEqual([name, 0, expect.anything()]);
};

interface KeptReply {
  readonly ids: readonly string[];
  readonly text: string;
  readonly stage: string;
}
const replies = (name: string): KeptReply[] =>
  readFileSync(at(name, "replies.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as KeptReply);
/** Of a row, and of its stage where it has several. */
const address = (name: string, id: string, of = ""): string =>
  `${viewer.url}run/${name}/row?${new URLSearchParams({ id, ...(of ? { of } : {}) })}`;

beforeAll(async () => {
  let failed = false;
  server = await startChatImitation({
    logProbabilities: "true",
    reasoning: () => "First I look,\nthen I choose.",
    reply(request) {
      sent.set(request.messages.at(-1)!.content, request);
      if (request.number === 9) return `${letterByQuestion(request)}\n${"so it is, ".repeat(60)}a Needle.`;
      return request.number === 7 ? HOSTILE : letterByQuestion(request);
    },
    trouble({ number }) {
      if (failed || number < 12) return undefined;
      failed = true;
      return { status: 500, body: { error: "the model is busy" } };
    },
  });
  await run("asked", "--set", "answerer.logprobs=true", "--set", "answerer.permutations=2");
  await run("together", "--set", "answerer.questionsPerRequest=5");
  await run("shots", "--set", "answerer.shots=1", "--set", "answerer.shotSource=first_n");
  cpSync(join(results, "lm-eval"), at("lm"), { recursive: true });
  cpSync(join(results, "inspect-eval"), at("logs"), { recursive: true });
  const context = { offline: true, progress: silent, environment: process.env };
  const [promptOf, questionsOf] = [promptWriter(context), questionReader(context)];
  viewer = await serveRuns(outputs, { port: 0, promptOf, questionsOf });
  if (chromiumPath) browser = await launchBrowser();
});
afterAll(async () => {
  await viewer?.close();
  await browser?.close();
  await server?.stop();
  rmSync(outputs, { recursive: true, force: true });
});

describe.skipIf(!chromiumPath)("a row's whole exchange, in Chromium", () => {
  it("is reached from the report and the list of rows, and shows what was sent and what came back", async () => {
    const { page, complaints } = await watchedPage(browser);
    await page.goto(`${viewer.url}run/asked`);
    await page.locator("#predictions-view tbody tr[data-place]").first().click();
    await page.getByRole("link", { name: "The whole exchange" }).click();
    const id = (await page.locator("h1").textContent())!;
    expect(id).toMatch(/^(DE_DE|FR_FR)\/\w+\/\d+$/);
    const asking = page.locator("#asking-1");
    const prompt = await asking.locator("pre.said").nth(1).textContent();
    // Byte for byte what the server was sent, the system message as well.
    const request = sent.get(prompt!)!;
    expect(await asking.locator("pre.said").first().textContent()).toBe(request.messages[0]!.content);
    expect(await asking.textContent()).toContain("This is the prompt that was sent");
    expect(await asking.textContent()).toContain("First I look,\nthen I choose.");
    expect(await asking.locator("pre.said").nth(3).textContent()).toBe(letterByQuestion(request));
    // Probabilities, a line a letter with its option, adding up to one.
    const shares = await asking.locator("tbody tr td:nth-child(4)").allTextContents();
    expect(shares).toHaveLength(4);
    expect(shares.reduce((sum, share) => sum + Number.parseFloat(share), 0)).toBeCloseTo(100, 0);
    // Asked under the other order: the options as they were shown then.
    const turned = page.locator("#asking-2");
    expect(await turned.textContent()).toContain("options turned round by 1");
    expect(await turned.textContent()).toContain("This is the prompt that was sent");
    const other = await turned.locator("pre.said").nth(1).textContent();
    expect(sent.has(other!)).toBe(true);
    expect(other).not.toBe(prompt);
    await page.getByRole("link", { name: "All rows" }).click();
    expect(await page.locator("h1").textContent()).toBe("asked: row by row");
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("is found by filters and turned over by keyboard alone, at three widths, light and dark, on paper", async () => {
    const total = replies("asked").length;
    for (const [width, colorScheme] of [
      [1280, "light"],
      [768, "dark"],
      [390, "dark"],
    ] as const) {
      const { page, complaints } = await watchedPage(browser, { colorScheme, viewport: { width, height: 900 } });
      await page.goto(`${viewer.url}run/asked/rows`);
      expect(await page.getByRole("link", { name: "The run" }).getAttribute("href")).toBe("/run/asked");
      const fits = async (): Promise<void> =>
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      await fits();
      expect(await page.getByRole("status").textContent()).toMatch(new RegExp(`^${total} of ${total} answers`));
      await page.getByLabel("Outcome").focus();
      await page.keyboard.type("wrong");
      await page.keyboard.press("Tab");
      await Promise.all([page.waitForURL(/outcome=wrong/), page.keyboard.press("Enter")]);
      expect(new Set(await page.locator("td[data-head=outcome] span").allTextContents())).toEqual(new Set(["wrong"]));
      await page.locator("td[data-head=row] a").first().focus();
      await Promise.all([page.waitForURL(/row\?/), page.keyboard.press("Enter")]);
      const first = await page.locator("h1").textContent();
      await page.getByRole("link", { name: "Next →" }).focus();
      await Promise.all([
        page.waitForURL((url) => !url.search.includes(encodeURIComponent(first!))),
        page.keyboard.press("Enter"),
      ]);
      expect(await page.locator(".place").textContent()).toMatch(/^2 of \d+$/);
      expect(await page.locator("#asking-1, #asking-2").first().textContent()).toContain("wrong");
      await fits();
      await page.emulateMedia({ media: "print" });
      expect(
        await page
          .locator("pre.said")
          .first()
          .evaluate((pre) => getComputedStyle(pre).maxHeight),
      ).toBe("none");
      expect(complaints).toEqual([]);
      await page.close();
    }
  });

  it("is found by an expression that the address keeps, by keyboard alone, its faults beside the box", async () => {
    for (const [width, colorScheme] of [
      [1280, "dark"],
      [360, "light"],
    ] as const) {
      const { page, complaints } = await watchedPage(browser, { colorScheme, viewport: { width, height: 900 } });
      await page.goto(`${viewer.url}run/asked/rows`);
      const box = page.getByLabel("Filter", { exact: true });
      const ask = async (where: string): Promise<void> => {
        await box.focus();
        await page.keyboard.press("Control+A");
        await page.keyboard.type(where);
        await Promise.all([
          page.waitForURL((url) => url.searchParams.get("where") === where),
          page.keyboard.press("Enter"),
        ]);
      };
      const found = async (): Promise<number> => Number((await page.getByRole("status").textContent())!.split(" ")[0]);
      await ask("outcme = wrong");
      expect(await page.getByRole("alert").textContent()).toContain("there is no field outcme; did you mean outcome?");
      expect(await page.locator("mark").textContent()).toBe("outcme");
      expect(await box.getAttribute("aria-invalid")).toBe("true");
      expect(await found()).toBe(0);
      // The cursor is where it is mended.
      expect(await box.evaluate((input) => document.activeElement === input)).toBe(true);
      await ask("outcome = wrong and language = DE_DE and characters < 600");
      const rows = await found();
      expect(rows).toBeGreaterThan(0);
      expect(new Set(await page.locator("td[data-head=outcome] span").allTextContents())).toEqual(new Set(["wrong"]));
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      // The rows before and behind are those of the filter.
      await page.locator("td[data-head=row] a").first().focus();
      await Promise.all([page.waitForURL(/row\?/), page.keyboard.press("Enter")]);
      expect(await page.locator(".place").textContent()).toBe(`1 of ${rows}`);
      await page.getByRole("link", { name: "All rows" }).click();
      expect(await box.inputValue()).toBe("outcome = wrong and language = DE_DE and characters < 600");
      await page.getByLabel("Beside").selectOption("together:test");
      await ask("predicted != other.predicted");
      expect(await page.locator("th").allTextContents()).toContain("other");
      const letters = async (head: string): Promise<string[]> =>
        (await page.locator(`td[data-head=${head}]`).allTextContents()).map((cell) => cell[0]!);
      const [here, there] = [await letters("predicted"), await letters("other")];
      expect(here.length).toBeGreaterThan(0);
      for (const [at, letter] of here.entries()) expect(letter).not.toBe(there[at]);
      await page.getByText("How a filter is written").click();
      await page.getByRole("link", { name: "outcome = right and confidence < 60%" }).click();
      expect(new URL(page.url()).searchParams.get("beside")).toBe("together:test");
      expect(complaints).toEqual([]);
      await page.close();
    }
  });

  it("shows markup and control characters of a reply as text", async () => {
    const { page, complaints } = await watchedPage(browser);
    const [id] = replies("asked").find(({ text }) => text === HOSTILE)!.ids;
    await page.goto(address("asked", id!));
    expect(await page.locator("main").textContent()).toContain("\\x1b[1m<img src=x onerror=");
    expect(await page.locator("main img, main script").count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.close();
  });
});

describe("a row's whole exchange", () => {
  const text = async (url: string): Promise<string> =>
    (await (await fetch(url)).text()).replaceAll("&#39;", "'").replaceAll("&quot;", '"');

  it("is found by any part of its question, reply or reasoning, of another tool's result too", async () => {
    const count = async (name: string, search: string): Promise<number> => {
      const page = await text(`${viewer.url}run/${name}/rows?${new URLSearchParams({ search })}`);
      return Number(/([\d,]+) of [\d,]+ answers/.exec(page)![1]!.replaceAll(",", ""));
    };
    const [whole] = replies("asked").filter(({ text }) => text.includes("Needle"));
    expect(whole!.text.indexOf("Needle")).toBeGreaterThan(160);
    expect(await count("asked", "a needle.")).toBe(1);
    expect(await count("asked", "THEN I choose")).toBe(replies("asked").length);
    expect(await count("asked", "nobody said this")).toBe(0);
    // The rows before and behind are those of the search.
    const [id] = whole!.ids;
    expect(await text(`${address("asked", id!, whole!.stage)}&search=needle`)).toContain("1 of 1");
    expect(await count("lm", "nobody said this")).toBe(0);
    // A question stands in no file of a run. As the last prompt has it: the first asked the fixed example.
    const prompt = [...sent.values()].at(-1)!.messages.at(-1)!.content;
    const question = /Question: ([^\n]+)/.exec(prompt)![1]!;
    const part = question.slice(0, 40).toUpperCase();
    const found = await text(`${viewer.url}run/asked/rows?${new URLSearchParams({ search: part })}`);
    const shown = [...found.matchAll(/data-head="question"[^>]*>([^<]*)/g)].map(([, cell]) => cell!);
    expect(shown.length).toBe(await count("asked", part));
    expect(shown.length).toBeGreaterThan(0);
    for (const cell of shown) expect(cell.toUpperCase()).toContain(part);
    // Nobody knows the questions of rows that are not on this machine; all else is found as before.
    const alone = await serveRuns(outputs, { port: 0 });
    const without = await text(`${alone.url}run/asked/rows?search=needle`);
    expect(without).toMatch(/1 of \d+ answers/);
    expect(without).not.toContain('data-head="question"');
    await alone.close();
    expect(await count("lm", "welches davon lebt?")).toBeGreaterThan(0);
  });

  it("is found by a filter that counts what the run's own files say", async () => {
    const found = async (name: string, where: string, beside = ""): Promise<number> => {
      const page = await text(`${viewer.url}run/${name}/rows?${new URLSearchParams({ where, beside })}`);
      return Number(/([\d,]+) of [\d,]+ answers/.exec(page)![1]!.replaceAll(",", ""));
    };
    const kept = readFileSync(at("asked", "predictions.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Prediction);
    const count = (holds: (one: Prediction) => boolean): number => kept.filter(holds).length;
    const wrong = (one: Prediction): boolean => one.prediction !== null && one.prediction !== one.answer;
    expect(await found("asked", "outcome = wrong")).toBe(count(wrong));
    const [, subject] = kept[0]!.id.split("/");
    expect(await found("asked", `outcome = wrong and subject = ${subject}`)).toBe(
      count((one) => wrong(one) && one.subject === subject),
    );
    expect(await found("asked", "reply contains needle and characters > 500")).toBe(1);
    expect(await found("asked", "reasoning contains 'then i choose'")).toBe(kept.length);
    expect(await found("asked", "seconds >= 0 and tokens >= 0")).toBe(kept.length);
    const shares = kept.flatMap(({ prediction, logProbabilities: logs }) =>
      prediction === null || !logs
        ? []
        : [Math.exp(logs["ABCD".indexOf(prediction)]!) / logs.reduce((sum, log) => sum + Math.exp(log), 0)],
    );
    expect(shares.length).toBeGreaterThan(0);
    const low = await found("asked", "confidence < 50%");
    expect(low).toBe(shares.filter((share) => share < 0.5).length);
    expect(low + (await found("asked", "confidence >= 0.5"))).toBe(shares.length);
    // Questions are read anew, and those of another tool's result stand in its files.
    expect(await found("asked", "question contains e")).toBe(kept.length);
    expect(await found("lm", "question contains 'welches davon lebt?'")).toBeGreaterThan(0);
    // Rows on which two runs agree and differ are those that both asked.
    const both = await found("asked", "predicted = other.predicted or predicted != other.predicted", "together:test");
    expect(both).toBe(await found("asked", "predicted = predicted and other.true = true", "together:test"));
    expect(await text(`${viewer.url}run/lm/rows?where=tokens+>+3`)).toMatch(/Of \d+ answers nobody knows/);
    expect(await text(`${viewer.url}run/asked/rows?where=other.tokens+>+3`)).toContain("choose in Beside");
    expect(await text(`${viewer.url}run/asked/rows?where=cut&language=DE_DE`)).toContain(
      "language: <code>DE_DE</code>; filter: <code>cut</code>",
    );
    expect(await text(`${viewer.url}run/asked/rows?beside=gone:test`)).toContain("there is no run gone:test");
    expect(await text(`${viewer.url}run/asked/rows?${new URLSearchParams({ where: HOSTILE })}`)).not.toContain("<img");
  });

  it("tells attempts made again, and the rows of one request", async () => {
    const [retry] = readFileSync(at("asked", "retries.jsonl"), "utf8").split("\n");
    const [id] = (JSON.parse(retry!) as { ids: string[] }).ids;
    expect(await text(address("asked", id!))).toMatch(/Attempts that failed and were made again[^]*500/);
    const together = replies("together").find(({ ids }) => ids.length === 5)!;
    const page = await text(address("together", together.ids[2]!));
    expect(page).toContain("One request of 5 questions; this is number 3");
    expect(page).toContain("This is the prompt that was sent");
  });

  it("writes examples anew too", async () => {
    expect(await text(address("shots", replies("shots")[0]!.ids[0]!))).toContain("This is the prompt that was sent");
  });

  it("says where a prompt is not the one that was sent, and where nobody can tell", async () => {
    cpSync(at("asked"), at("other"), { recursive: true });
    const start = JSON.parse(readFileSync(at("other", "run.json"), "utf8")) as { configuration: { answerer: object } };
    start.configuration.answerer = { ...start.configuration.answerer, maxTokensExtra: 77 };
    writeFileSync(at("other", "run.json"), JSON.stringify(start));
    const [id] = replies("other")[0]!.ids;
    expect(await text(address("other", id!))).toContain("This is not the prompt that was sent");
    // Still going: nobody has written yet who answered.
    rmSync(at("other", "manifest.json"));
    appendFileSync(at("other", "replies.jsonl"), '{"torn');
    expect(await text(address("other", id!))).toContain("Written anew");
    expect(await text(`${viewer.url}run/other/rows?language=DE_DE&search=${encodeURIComponent(id!)}`)).toContain(
      "answers",
    );
    // Rows that are not in the data any more.
    writeFileSync(
      at("other", "replies.jsonl"),
      readFileSync(at("asked", "replies.jsonl"), "utf8").replaceAll(id!, "DE_DE/anatomy/999999"),
    );
    const gone = await text(address("other", "DE_DE/anatomy/999999"));
    expect(gone).toMatch(/cannot be written anew: there is no row DE_DE\/anatomy\/999999/);
    rmSync(at("other"), { recursive: true });
  });

  it("of another tool is what its file tells", async () => {
    for (const [name, prompt] of [
      ["lm", /<h3>Prompt<\/h3><pre[^>]*>[^<]*Answer:/],
      ["logs", /<h3>Prompt<\/h3><pre[^>]*>[^<]*user: /],
    ] as const) {
      const list = await text(`${viewer.url}run/${name}/rows`);
      const [, link] = /<a href="(\/run\/\w+\/row\?[^"]*)"/.exec(list)!;
      expect(await text(new URL(link!.replaceAll("&amp;", "&"), viewer.url).href)).toMatch(prompt);
    }
  });

  it("of what is not there is refused in a sentence", async () => {
    const refused = async (url: string): Promise<[number, string]> => {
      const reply = await fetch(url);
      return [reply.status, await reply.text()];
    };
    for (const url of [
      address("asked", "DE_DE/anatomy/999999"),
      address("asked", ""),
      address("lm", "../../etc/passwd"),
    ])
      expect(await refused(url)).toEqual([400, expect.stringContaining("has no answer to")]);
    expect((await refused(`${viewer.url}run/nothing/rows`))[0]).toBe(404);
    expect((await refused(`${viewer.url}run/asked/rows?page=-7&outcome=odd`))[0]).toBe(200);
    expect((await refused(`${viewer.url}run/asked/rows?page=1e9`))[0]).toBe(200);
    expect((await fetch(`${viewer.url}run/asked/rows`)).headers.get("content-security-policy")).toMatch(
      /default-src 'none'; script-src 'nonce-[^']+'/,
    );
  });
});
