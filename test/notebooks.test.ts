import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const notebooks = fileURLToPath(new URL("../notebooks/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "mmmlu-notebooks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const withoutJupyter = spawnSync("jupyter-nbconvert", ["--version"]).status !== 0;
if (withoutJupyter) console.warn("Skipped: running the notebooks needs nbconvert (Debian's package jupyter-nbconvert)");

interface Notebook {
  readonly cells: readonly {
    cell_type: string;
    source: string[];
    outputs?: { output_type: string; data?: Record<string, unknown> }[];
  }[];
}
const read = (...path: string[]): Notebook => JSON.parse(readFileSync(join(...path), "utf8")) as Notebook;
const NAMES = ["eda.ipynb", "flan_t5_finetune.ipynb", "gemma_2_2b_finetune.ipynb", "gemma_3_27b_baseline.ipynb"];

describe("the notebooks", () => {
  it("are those that their sources make, committed with outputs", () => {
    execFileSync(process.execPath, [join(notebooks, "make.mjs"), folder]);
    expect(
      readdirSync(notebooks)
        .filter((name) => name.endsWith(".ipynb"))
        .sort(),
    ).toEqual(NAMES);
    for (const name of NAMES) {
      const sources = (notebook: Notebook): string[] => notebook.cells.map(({ source }) => source.join(""));
      expect(sources(read(notebooks, name))).toEqual(sources(read(folder, name)));
      const outputs = read(notebooks, name).cells.flatMap((cell) => cell.outputs ?? []);
      expect(outputs.some((output) => output.data?.["image/svg+xml"])).toBe(true);
    }
  });

  it.skipIf(withoutJupyter)("run from top to bottom", () => {
    execFileSync(process.execPath, [join(notebooks, "run.mjs"), folder], { stdio: ["ignore", "ignore", "inherit"] });
    for (const name of NAMES) {
      const outputs = read(folder, name).cells.flatMap((cell) => cell.outputs ?? []);
      expect(outputs.filter(({ output_type }) => output_type === "error")).toEqual([]);
      expect(outputs.length).toBeGreaterThan(4);
    }
  });
});
