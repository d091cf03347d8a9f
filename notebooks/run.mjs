/*
 * Runs every notebook from top to bottom on Deno's kernel and keeps the outputs. Needs Jupyter's nbconvert.
 *
 *   npm run notebooks [-- FOLDER]     FOLDER: where the run notebooks go, instead of in their place
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? here;
const data = mkdtempSync(join(tmpdir(), "jupyter-"));
const environment = { ...process.env, JUPYTER_DATA_DIR: data, PATH: `${join(here, "../node_modules/.bin")}:${process.env.PATH}` };
try {
  execFileSync("deno", ["jupyter", "--install", "--force"], { env: environment, stdio: "ignore" });
  if (out === here) execFileSync(process.execPath, [join(here, "make.mjs")], { stdio: "inherit" });
  for (const name of readdirSync(here).filter((file) => file.endsWith(".ipynb")).sort()) {
    // jupyter-nbconvert by itself: Debian has it without the `jupyter` command.
    execFileSync("jupyter-nbconvert", ["--to", "notebook", "--execute", "--ExecutePreprocessor.timeout=300", "--output-dir", out, "--output", name, join(here, name)], { cwd: here, env: environment, stdio: ["ignore", "inherit", "pipe"] });
    console.log(name);
  }
} catch (error) {
  if (error.stderr) process.stderr.write(error.stderr.toString().split("\n").slice(-40).join("\n"));
  else console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(data, { recursive: true, force: true });
}
