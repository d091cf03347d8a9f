import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");

/** The page's sections that add something: new files and changes of registries, by path. */
const sections = page
  .split(/^## /m)
  .slice(1)
  .map((section) => {
    const blocks = [...section.matchAll(/^```(ts|diff) title="([^"]+)"\n([^]*?)^```$/gm)].map(
      ([, kind, path, text]) => ({ kind: kind!, path: path!, text: text! }),
    );
    return {
      name: section.slice(0, section.indexOf("\n")),
      files: blocks.filter(({ kind, path }) => kind === "ts" && !path.endsWith(".test.ts")),
      tests: blocks.filter(({ kind, path }) => kind === "ts" && path.endsWith(".test.ts")),
      changes: blocks.filter(({ kind }) => kind === "diff"),
    };
  });

/** Pieces of a diff without line numbers: lines that stand together before, and what they are afterwards. */
function hunksOf(diff: string): { before: string; after: string }[] {
  const hunks: { signs: string; lines: string[] }[] = [];
  for (const line of diff.trimEnd().split("\n")) {
    const sign = line[0]!;
    const last = hunks.at(-1);
    // What is added ends a piece, unless it came first or its line stands instead of another.
    if (!last || (last.signs.includes("+") && sign !== "+" && /[ -]/.test(last.signs)))
      hunks.push({ signs: sign, lines: [line] });
    else {
      last.signs += sign;
      last.lines.push(line);
    }
  }
  const side = (lines: readonly string[], left: string): string =>
    lines
      .filter((line) => line[0] !== left)
      .map((line) => `${line.slice(1)}\n`)
      .join("");
  return hunks.map(({ lines }) => ({ before: side(lines, "+"), after: side(lines, "-") }));
}

function applied(source: string, diff: string): string {
  return hunksOf(diff).reduce((text, { before, after }) => {
    expect(before, "a piece that is there before").not.toBe("");
    expect(text.split(before).length, `places of ${JSON.stringify(before)}`).toBe(2);
    return text.replace(before, () => after);
  }, source);
}

const folder = mkdtempSync(join(tmpdir(), "mmmlu-contributing-"));
beforeAll(() => {
  for (const name of ["package.json", "tsconfig.json", "vitest.config.ts", "biome.jsonc", "LICENSE"])
    copyFileSync(join(root, name), join(folder, name));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  mkdirSync(join(folder, "test"));
  for (const name of ["environment.ts", "task-files.ts"])
    copyFileSync(join(root, "test", name), join(folder, "test", name));
  cpSync(join(root, "src"), join(folder, "src"), {
    recursive: true,
    filter: (path) => !path.endsWith(".test.ts") || path.endsWith("graph/gradient.test.ts"),
  });
  for (const { files, tests, changes } of sections) {
    for (const { path, text } of [...files, ...tests]) {
      expect(existsSync(join(folder, path)), `${path} is there`).toBe(false);
      writeFileSync(join(folder, path), text);
    }
    for (const { path, text } of changes)
      writeFileSync(join(folder, path), applied(readFileSync(join(folder, path), "utf8"), text));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a tool of this checkout prints about the copy; it has to end well. */
function run(tool: string, ...words: string[]): string {
  try {
    const options = { cwd: folder, encoding: "utf8", stdio: "pipe", maxBuffer: 1 << 26 } as const;
    return execFileSync(process.execPath, [join(root, "node_modules", tool), ...words], options);
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${stdout}\n${stderr}`, { cause: error });
  }
}

it("each thing that can be added is one file and one registry", () => {
  expect(sections.map(({ name }) => name)).toEqual([
    "An architecture",
    "A task",
    "An experiment",
    "An answerer",
    "A tracker",
    "A device",
    "A prompt",
    "A protocol",
    "A reading",
    "An operation of the graph",
    "A statistic",
    "An importer",
  ]);
  for (const { name, files, changes } of sections) expect([name, files.length, changes.length]).toEqual([name, 1, 1]);
});

it("the page's files are of the right types and form", () => {
  run("typescript-native/bin/tsc", "-p", "tsconfig.json", "--noEmit");
  const written = sections.flatMap(({ files, tests, changes }) => [...files, ...tests, ...changes]);
  run(
    "@biomejs/biome/bin/biome",
    "check",
    "--error-on-warnings",
    "--vcs-enabled=false",
    ...written.map(({ path }) => path),
  );
});

it("what the page adds works, as its tests show", () => {
  const tests = sections.flatMap((section) => section.tests);
  const names = tests.flatMap(({ text }) => [...text.matchAll(/^it\("([^"]+)"/gm)].map((match) => match[1]!));
  expect(names.length).toBeGreaterThanOrEqual(8);
  // The operation's own test is that of all operations' cases.
  const wanted = [...names, "gradients against finite differences softplus"];
  const pattern = wanted.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  const reporters = ["--reporter=dot", "--reporter=json", "--outputFile.json=report.json"];
  const files = ["src/graph/gradient.test.ts", ...tests.map(({ path }) => path)];
  run("vitest/vitest.mjs", "run", ...reporters, "-t", pattern, ...files);
  const report = JSON.parse(readFileSync(join(folder, "report.json"), "utf8")) as {
    testResults: { assertionResults: { fullName: string; status: string }[] }[];
  };
  const passed = report.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === "passed")
    .map(({ fullName }) => fullName);
  expect(passed.sort()).toEqual(wanted.sort());
});
