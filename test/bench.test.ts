import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { median, type TableRow, times, written } from "../bench/table.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const bench = (...given: string[]) => [process.execPath, ["--import", "tsx", "bench/main.ts", ...given]] as const;

describe("the table of npm run bench", () => {
  const rate: TableRow = { what: "training", unit: "rows/s", ours: 3, theirs: 1.5, beside: "Trainer", same: "rows" };
  const time: TableRow = { what: "EDA", unit: "s", ours: 20, theirs: 10, beside: "pandas", same: "counts" };
  const alone: TableRow = { what: "install", unit: "MB", ours: 700, beside: "pip", missing: "no Python" };

  it("tells how many times better ours is, whichever way is better", () => {
    expect([rate, time, alone].map(times)).toEqual([2, 0.5, undefined]);
  });

  it("says what is missing where the other side did not run", () => {
    const lines = written([rate, time, alone]).split("\n");
    expect(new Set(lines.map(({ length }) => length)).size).toBe(1);
    expect(lines[2]).toMatch(/^\| training +\| rows\/s +\| +3\.0 \| +1\.5 \| 2\.00 × \| Trainer +\| rows +\|$/);
    expect(lines[4]).toMatch(/700 \| +– \| +– \| pip +\| not run: no Python +\|$/);
  });

  it("takes the middle of rounds", () => {
    expect([[3], [3, 1], [5, 1, 3]].map(median)).toEqual([3, 1, 3]);
  });

  it("refuses a part that there is not, and names those that there are", () => {
    const [program, given] = bench("firstline");
    const { status, stderr } = spawnSync(program, given, { cwd: root, encoding: "utf8" });
    expect(status).toBe(2);
    expect(stderr).toMatch(/no part firstline.*first-line[^]*\n {2}qlora /);
  });

  it("measures a part of which only our own side is there", { timeout: 120_000 }, () => {
    const [program, given] = bench("first-line", "--json");
    const printed = execFileSync(program, given, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const { machine, rows, failed } = JSON.parse(printed) as { machine: string; rows: TableRow[]; failed: string[] };
    expect(failed).toEqual([]);
    expect(machine).toContain(`Node ${process.versions.node}`);
    expect(rows).toHaveLength(3);
    for (const row of rows) {
      expect(row.ours).toBeGreaterThan(0);
      expect(row.missing).toMatch(/--(python|lm-eval|inspect) names no/);
    }
  });
});
