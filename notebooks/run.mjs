/*
 * Runs every notebook from top to bottom on Deno's kernel and keeps the outputs. Needs Jupyter's nbconvert.
 *
 *   npm run notebooks [-- FOLDER]     FOLDER: where the run notebooks go, instead of in their place
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? here;
const data = mkdtempSync(join(tmpdir(), "jupyter-"));
const environment = {
  ...process.env,
  JUPYTER_DATA_DIR: data,
  PATH: `${join(here, "../node_modules/.bin")}:${process.env.PATH}`,
};

// jupyter-nbconvert by itself: Debian has it without the `jupyter` command.
const execute = (name) =>
  execFileSync(
    "jupyter-nbconvert",
    [
      "--to",
      "notebook",
      "--execute",
      "--ExecutePreprocessor.timeout=900",
      "--output-dir",
      out,
      "--output",
      name,
      join(here, name),
    ],
    { cwd: here, env: environment, stdio: ["ignore", "inherit", "pipe"] },
  );

/** The code cells of a notebook, every one of which shows something, that show nothing. */
const withoutOutput = (path) =>
  JSON.parse(readFileSync(path, "utf8"))
    .cells.filter((cell) => cell.cell_type === "code" && cell.outputs.length === 0)
    .map((cell) => cell.source.join("").slice(0, 80));

try {
  execFileSync("deno", ["jupyter", "--install", "--force"], { env: environment, stdio: "ignore" });
  if (out === here) execFileSync(process.execPath, [join(here, "make.mjs")], { stdio: "inherit" });
  for (const name of readdirSync(here)
    .filter((file) => file.endsWith(".ipynb"))
    .sort()) {
    // However long the notebooks' own pause after what they show, a busy machine may need longer: such a notebook runs again.
    for (let attempt = 1; ; attempt++) {
      execute(name);
      const [empty] = withoutOutput(join(out, name));
      if (!empty) break;
      if (attempt === 3)
        throw new Error(
          `${name}: no output came of the cell ${JSON.stringify(empty)}; every code cell ends in what show.ts shows`,
        );
    }
    console.log(name);
  }
} catch (error) {
  if (error.stderr) process.stderr.write(error.stderr.toString().split("\n").slice(-40).join("\n"));
  else console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(data, { recursive: true, force: true });
}
