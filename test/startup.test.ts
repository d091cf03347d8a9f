import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { mmmlu } from "./command.js";

const folder = mkdtempSync(join(tmpdir(), "mmmlu-startup-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes the address of every module that is resolved into the file named by MODULES. */
const hooks = `data:text/javascript,${encodeURIComponent(`
import { appendFileSync } from "node:fs";
export async function resolve(name, context, next) {
  const found = await next(name, context);
  appendFileSync(process.env.MODULES, found.url + "\\n");
  return found;
}`)}`;
const register = `data:text/javascript,${encodeURIComponent(`
import { register } from "node:module";
register(${JSON.stringify(hooks)});`)}`;

async function modulesOf(...words: string[]): Promise<string[]> {
  const list = join(folder, `${words.join("-")}.txt`);
  const { code, error } = await mmmlu(words, { environment: { NODE_OPTIONS: `--import ${register}`, MODULES: list } });
  expect([code, error]).toEqual([0, ""]);
  return [...new Set(readFileSync(list, "utf8").trim().split("\n"))].filter((url) => url.startsWith("file:"));
}

const packagesOf = (modules: readonly string[]): string[] => [
  ...new Set(modules.flatMap((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? [])),
];
const roomsOf = (modules: readonly string[]): string[] => [
  ...new Set(modules.flatMap((url) => /\/dist\/(\w+)\//.exec(url)?.[1] ?? [])),
];

it("help loads the command line and no more", async () => {
  const modules = await modulesOf("--help");
  expect(packagesOf(modules).sort()).toEqual(["commander", "get-east-asian-width"]);
  expect(roomsOf(modules).sort()).toEqual(["base", "cli"]);
  expect(modules.filter((url) => url.includes("/dist/cli/")).map((url) => url.split("/").at(-1))).toEqual([
    "main.js",
    "program.js",
    "commands.js",
  ]);
});

it.each(["run", "finetune", "plan", "prepare", "reproduce", "sweep", "compare", "lens", "import", "view", "demo"])(
  "%s --help loads the command line and no more",
  async (command) => {
    expect(roomsOf(await modulesOf(command, "--help")).sort()).toEqual(["base", "cli"]);
  },
);

it("a command loads what it needs", async () => {
  expect(roomsOf(await modulesOf("leaderboard", "--help"))).not.toContain("experiments");
});

it.each([["list"], ["show", "eda"], ["serve", "--help"]])(
  "%s loads neither the plotting library nor a database",
  async (...words) => {
    const packages = packagesOf(await modulesOf(...words));
    for (const name of ["@observablehq/plot", "linkedom", "@duckdb/node-api", "onnxruntime-node"])
      expect(packages).not.toContain(name);
  },
);
