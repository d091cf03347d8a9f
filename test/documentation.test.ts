import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ModelServer, serveModel, type WorkerEngine, workerEngine } from "../src/answer/index.js";
import { silent } from "../src/base/progress.js";
import { sampleModelFolder } from "../src/experiments/index.js";
import { mmmlu } from "./command.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const pages = [
  "README.md",
  // Those in folders last: they go on from what the others made.
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .sort((a, b) => Number(a.includes("/")) - Number(b.includes("/")) || (a < b ? -1 : 1))
    .map((name) => `docs/${name}`),
];
const text = (page: string): string => readFileSync(join(root, page), "utf8");

/** Every line of every shell block, in order. */
const shown = pages.flatMap((page) =>
  [...text(page).matchAll(/^```sh\n([^]*?)^```/gm)].flatMap((block) =>
    block[1]!
      .trim()
      .split("\n")
      .map((line) => ({ page, line })),
  ),
);
const MMMLU = "npm run mmmlu -- ";
/** Its commands, in order, are run by test/lm-studio.test.ts against the real llama.cpp. */
const ELSEWHERE = "docs/lm-studio.md";
/** Each once: what one page has shown, another may show again. */
const commands = shown.filter(
  ({ page, line }, at) =>
    page !== ELSEWHERE &&
    line.startsWith(MMMLU) &&
    shown.findIndex((other) => other.line === line && other.page !== ELSEWHERE) === at,
);

/** Words of a line as a shell splits them: single quotes only. */
const words = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);

const folder = mkdtempSync(join(tmpdir(), "mmmlu-documentation-"));
let engine: WorkerEngine;
let server: ModelServer;
beforeAll(async () => {
  // Stands in for LM Studio: the sample's tiny model under the published one's name.
  engine = await workerEngine({ id: "gemma-3-27b-it", source: await sampleModelFolder(silent), device: "cpu" });
  server = await serveModel(engine, { port: 0 });
  for (const page of pages)
    for (const [, name] of text(page).matchAll(/(?:finetune|sweep) (\w+\.json)/g))
      writeFileSync(join(folder, name!), /^```json\n([^]*?)^```/m.exec(text(page))![1]!);
  for (const page of pages)
    for (const [, name, content] of text(page).matchAll(/`(\w+\.csv)`.*\n\n```csv\n([^]*?)^```/gm))
      writeFileSync(join(folder, name!), content!);
});
afterAll(async () => {
  await server?.close();
  await engine?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** On a tenth of the sample instead of the real data and weights, and fine-tuning for one epoch. */
function onSample(given: readonly string[]): string[] {
  const [command, what] = given;
  if (command === "sweep") return [...given, "--sample"];
  if (["export", "import"].includes(command!) && ["training", "batch"].includes(what!)) return [...given, "--sample"];
  if (!["run", "plan", "prepare", "finetune", "reproduce"].includes(command!)) return [...given];
  const trains = /finetune|json/.test(what ?? "");
  const quick =
    !["prepare", "reproduce"].includes(command!) && what !== "eda"
      ? [...(trains ? ["training.epochs=1"] : []), "data.rowsPerLanguage=240"]
          .filter((setting) => !given.some((word) => word.startsWith(setting.split("=")[0]!)))
          .flatMap((setting) => ["--set", setting])
      : [];
  // Own rows are read as they are, with the sample's tokenizer.
  if (given.includes("--data")) return [...given, "--set", "tokenizer.source=sample", "--fresh"];
  return [...given, ...(given.includes("--sample") ? [] : ["--sample"]), ...quick];
}

describe("the documentation", () => {
  it("shows no other commands than those run here or by tests of their own", () => {
    expect(commands.length).toBeGreaterThan(15);
    const others = shown
      .filter(({ line }) => !line.startsWith(MMMLU))
      .map(({ line }) => line.replace(/ -- .*/, "").trim());
    const tested: Record<string, string> = {
      "npm ci && npm start": "test/demo.test.ts",
      "npm ci && npm test": ".ci/run",
      "npm pack": "test/install.test.ts",
      "ONNXRUNTIME_NODE_INSTALL=skip npm install ../mmmlu-lab/mmmlu-lab-0.2.0.tgz": "test/install.test.ts",
      "npm run notebook-kernel": "test/notebooks.test.ts",
      "jupyter lab notebooks": "test/notebooks.test.ts",
      "npm run bench": "test/bench.test.ts",
      "npm run bench:install": "",
      "npm run bench:tokens": "",
      "npm run bench:eda": "",
      "npm run bench:evaluate": "",
      "npm run bench:http": "",
      "npm run bench:train": "",
      "npm run bench:answer": "",
      "npm run bench:gpu": "test/bench-gpu.test.ts",
      "npm run bench:real": "",
      "npm run reference:vllm": "",
      "npm run api": "test/documentation.test.ts",
    };
    for (const line of others) expect(Object.keys(tested)).toContain(line);
    const scripts = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts;
    for (const line of others)
      for (const [, script] of line.matchAll(/npm run (\S+)/g)) expect(scripts).toHaveProperty([script!]);
  });

  it("names pages and files that there are", () => {
    for (const page of [...pages, "ARCHITECTURE.md"]) {
      for (const [, link] of text(page).matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g))
        expect([page, link, existsSync(join(root, page, "..", link!))]).toEqual([page, link, true]);
    }
  });

  it("can make the API's site from the docstrings", () => {
    const fresh = join(folder, "api");
    execFileSync(
      join(root, "node_modules/.bin/typedoc"),
      ["--out", fresh, "--logLevel", "Warn", "--treatWarningsAsErrors"],
      { cwd: root },
    );
    expect(existsSync(join(fresh, "index.html"))).toBe(true);
  });

  it("lists every command", async () => {
    const { out } = await mmmlu(["--help"]);
    const names = [...out.matchAll(/^ {2}(\w+)(?: |\n|\|)/gm)]
      .map(([, name]) => name!)
      .filter((name) => name !== "help");
    expect(names.length).toBeGreaterThan(11);
    for (const name of names) expect(text("README.md")).toMatch(new RegExp(`\`(mmmlu )?${name}\\b`));
  });

  // In order: later ones read what earlier ones wrote.
  it.each(commands)("$line", async ({ line }) => {
    const given = onSample(words(line.slice(MMMLU.length)));
    const serves = ["view", "serve"].includes(given[0]!);
    const { code, error } = await mmmlu(serves ? [...given, "--port", "0"] : given, {
      folder,
      environment: { LMSTUDIO_ENDPOINT: server.url },
      started: (child) => {
        if (serves)
          child.stdout!.on("data", (piece: Buffer) => /http:\/\//.test(piece.toString()) && child.kill("SIGINT"));
      },
    });
    expect({ code, error: code === 0 ? "" : error }).toEqual({ code: 0, error: "" });
  });
});
