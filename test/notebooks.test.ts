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
const NAMES = [
  "compare.ipynb",
  "eda.ipynb",
  "flan_t5_finetune.ipynb",
  "gemma_2_2b_finetune.ipynb",
  "gemma_3_27b_baseline.ipynb",
];
/** What a reader is shown: tables, figures and texts, no objects and no progress. */
const shown = ({ cells }: Notebook) =>
  cells
    .flatMap((cell) => cell.outputs ?? [])
    .map(({ output_type, data = {} }) => {
      const [[type, text] = ["nothing", ""]] = Object.entries(data);
      const whole = [text].flat().join("");
      return output_type === "display_data" && !/^\s*[[{]/.test(whole) ? type : `${output_type}: ${whole.slice(0, 80)}`;
    });

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
      const kinds = shown(read(notebooks, name));
      expect(kinds.filter((kind) => !["text/html", "image/svg+xml", "text/plain"].includes(kind))).toEqual([]);
      expect(kinds.filter((kind) => kind === "image/svg+xml").length).toBeGreaterThan(1);
      expect(kinds.filter((kind) => kind === "text/html").length).toBeGreaterThan(2);
    }
  });

  it("say what each cell shows", () => {
    for (const name of NAMES) {
      const { cells } = read(notebooks, name);
      cells.forEach(({ cell_type }, at) => {
        const before = cells[at - 1];
        const said = before?.cell_type === "markdown" && !/^#[^\n]*$/.test(before.source.join("").trim());
        if (cell_type === "code") expect([name, at, said]).toEqual([name, at, true]);
      });
    }
  });

  it.skipIf(withoutJupyter)("run from top to bottom", () => {
    execFileSync(process.execPath, [join(notebooks, "run.mjs"), folder], { stdio: ["ignore", "ignore", "inherit"] });
    for (const name of NAMES) {
      const outputs = read(folder, name).cells.flatMap((cell) => cell.outputs ?? []);
      expect(outputs.filter(({ output_type }) => output_type === "error")).toEqual([]);
      expect(shown(read(folder, name))).toEqual(shown(read(notebooks, name)));
    }
  });
});
