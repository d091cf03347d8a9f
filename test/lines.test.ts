import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const source = fileURLToPath(new URL("../src", import.meta.url));

/** Files that are mostly text of another language, or of another program: its lines are as they have to be. */
const TEXTS = [
  "answer/instructions.ts",
  "report/page-script.ts",
  "report/page-style.ts",
  "report/viewer/list-script.ts",
  "cli/completion-scripts.ts",
  "report/figures/text-width.ts",
];
/** A pattern stands in one line, and so does a piece of a page. */
const ONE_PIECE = /^\s*(?:\/.*\/[a-z]*[,;)]*$|.*html`|.*<\w+(?: [^>]*)?>)/;

const files = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
  .map((file) => ({ file, lines: readFileSync(join(source, file), "utf8").split("\n") }));
const where = (holds: (line: string) => boolean, left: readonly string[] = []): string[] =>
  files
    .filter(({ file }) => !left.includes(file))
    .flatMap(({ file, lines }) => lines.flatMap((line, at) => (holds(line) ? [`${file}:${at + 1}: ${line}`] : [])));

it("no line of the source has over 120 columns", () => {
  expect(files.length).toBeGreaterThan(300);
  expect(where((line) => line.length > 120 && !ONE_PIECE.test(line), TEXTS)).toEqual([]);
});

it("what is private is so by TypeScript's word", () => {
  expect(where((line) => /\bthis\.#|^\s+(?:static |readonly |async )*#\w/.test(line))).toEqual([]);
});
