import { readdirSync, readFileSync } from "node:fs";
import ts from "typescript";
import { describe, expect, it, vi } from "vitest";

/*
 * Every regular expression of the source is tried on texts that would be slow for one that looks at a text again and
 * again: what comes from outside may be a megabyte of blanks.
 */

interface Found {
  readonly where: string;
  readonly expression: RegExp;
}

const source = new URL("../src/", import.meta.url);

function literals(): Found[] {
  const found: Found[] = [];
  for (const file of readdirSync(source, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".ts") || file.endsWith(".test.ts")) continue;
    const tree = ts.createSourceFile(file, readFileSync(new URL(file, source), "utf8"), ts.ScriptTarget.Latest, true);
    const visit = (node: ts.Node): void => {
      if (node.kind === ts.SyntaxKind.RegularExpressionLiteral) {
        const text = node.getText();
        const end = text.lastIndexOf("/");
        const line = tree.getLineAndCharacterOfPosition(node.getStart()).line + 1;
        found.push({ where: `${file}:${line}`, expression: new RegExp(text.slice(1, end), text.slice(end + 1)) });
      }
      ts.forEachChild(node, visit);
    };
    visit(tree);
  }
  return found;
}

/** Those that the modules of a room put together when they are loaded. */
async function assembled(): Promise<Found[]> {
  const found: Found[] = [];
  const Plain = RegExp;
  vi.stubGlobal(
    "RegExp",
    new Proxy(Plain, {
      construct(_target, [pattern, flags]: [string | RegExp, string | undefined]) {
        const expression = new Plain(pattern, flags);
        if (typeof pattern === "string" && /\/src\//.test(new Error().stack ?? ""))
          found.push({ where: `assembled ${pattern.slice(0, 40)}`, expression });
        return expression;
      },
    }),
  );
  try {
    await import("../src/answer/index.js");
  } finally {
    vi.unstubAllGlobals();
  }
  return found;
}

const GENERAL = [
  " ",
  "\n",
  "a",
  "7",
  "é",
  "/",
  "\\",
  '"',
  "(",
  "[",
  "{",
  "<",
  ".",
  ",",
  "-",
  "_",
  ":",
  "*",
  "#",
  "|",
  "\ufffd",
  "a ",
  "A, ",
];
const LENGTH = 32 * 1024;

/** Texts that repeat what an expression looks for, and end in what it does not. */
function* hostileTo({ source: pattern }: RegExp): Generator<string> {
  const words = pattern
    .replace(/\\[pP]\{[^}]*\}|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|\\[a-zA-Z]/g, "\0")
    .replace(/\\(.)/g, "$1")
    .split(/[\0()[\]{}|?*+^$]+/)
    .filter((word) => word !== "" && word.length < 20);
  const characters = words.join("").slice(0, 40);
  const units = new Set([...GENERAL, ...words.slice(0, 12), ...characters]);
  const first = words[0] ?? "";
  for (const unit of units) {
    const run = unit.repeat(LENGTH / unit.length);
    yield `${run}\0`;
    if (first !== "") yield `${first}${run}\0`;
  }
}

/** Processor time in microseconds, which another program's work does not lengthen. */
function cost(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

describe("regular expressions", () => {
  it("take time in proportion to the text", async () => {
    const found = [...literals(), ...(await assembled())];
    expect(found.length).toBeGreaterThan(150);
    expect(found.filter(({ where }) => where.startsWith("assembled")).length).toBeGreaterThan(8);
    const linear = "some words, ".repeat(LENGTH / 12);
    const scan = (): void => {
      for (let time = 0; time < 20; time++) linear.replace(/\w+/g, "x");
    };
    scan();
    // What is quadratic needs a billion steps at this length; the scans it is held against, a few million.
    const bound = 5 * Math.max(cost(scan), cost(scan), cost(scan));
    const slow = new Set<string>();
    for (const { where, expression } of found) {
      for (const text of hostileTo(expression)) {
        const spent = cost(() => {
          if (expression.global) text.replace(expression, "");
          else expression.test(text);
        });
        if (spent > bound) {
          slow.add(`${where} ${expression} on ${JSON.stringify(text.slice(0, 12))}…`);
          break;
        }
      }
    }
    expect([...slow]).toEqual([]);
  });
});
