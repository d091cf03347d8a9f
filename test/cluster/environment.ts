import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The Python of the cluster's tests: MMMLU_TEST_RAY where it is set, else one that is made from requirements.txt, once,
 * in the user's cache.
 */
export default function setup(): void {
  process.env["MMMLU_TEST_RAY"] ??= made();
  process.env["MMMLU_TEST_TORCH"] ??= process.env["MMMLU_TEST_RAY"];
}

function made(): string {
  const pinned = fileURLToPath(new URL("requirements.txt", import.meta.url));
  const engine = fileURLToPath(new URL("../../engines/torch/requirements.txt", import.meta.url));
  const key = createHash("sha256").update(readFileSync(pinned)).update(readFileSync(engine)).digest("hex").slice(0, 12);
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const folder = join(cache, "mmmlu-lab-ci", `cluster-${key}`);
  const [python, whole] = [join(folder, "bin", "python"), join(folder, "whole")];
  if (existsSync(whole)) return python;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  console.log(`making a Python with PyTorch and Ray in ${folder} (once)`);
  execFileSync("python3", ["-m", "venv", folder], { stdio: "inherit" });
  execFileSync(python, ["-m", "pip", "install", "--quiet", "--requirement", pinned], { stdio: "inherit" });
  writeFileSync(whole, "");
  return python;
}
