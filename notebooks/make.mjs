/*
 * Writes the notebooks' cells. Their outputs come from running them: npm run notebooks.
 *
 *   node notebooks/make.mjs [FOLDER]
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = process.argv[2] ?? here;
const names = readdirSync(join(here, "source"))
  .filter((file) => file.endsWith(".md"))
  .map((file) => file.slice(0, -3));
for (const name of names) {
  const source = readFileSync(join(here, "source", `${name}.md`), "utf8");
  // Code between ```ts fences is a code cell, what stands between them a text cell.
  const cells = source.split(/^```ts\n([^]*?)^```\n/m).flatMap((part, index) => {
    const text = part.trim();
    if (!text) return [];
    const lines = text.split("\n").map((line, i, all) => (i < all.length - 1 ? `${line}\n` : line));
    const id = `${name.replaceAll("_", "-")}-${index}`;
    return [
      index % 2
        ? { cell_type: "code", id, metadata: {}, execution_count: null, outputs: [], source: lines }
        : { cell_type: "markdown", id, metadata: {}, source: lines },
    ];
  });
  const notebook = {
    cells,
    metadata: {
      kernelspec: { display_name: "Deno", language: "typescript", name: "deno" },
      language_info: { name: "typescript", file_extension: ".ts", mimetype: "text/x.typescript" },
    },
    nbformat: 4,
    nbformat_minor: 5,
  };
  writeFileSync(join(out, `${name}.ipynb`), `${JSON.stringify(notebook, null, 1)}\n`);
}
