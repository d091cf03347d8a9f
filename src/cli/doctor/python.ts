import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import type { Check, Finding } from "./check.js";

const PYTHON = "python3";
const versions = z.record(z.string(), z.string().nullable());

/** Versions as Python's own metadata tells them: nothing is imported, which would take seconds. */
const CODE = `import importlib.metadata as m, json, sys
def version(name):
    try: return m.version(name)
    except m.PackageNotFoundError: return None
print(json.dumps({name: version(name) for name in sys.argv[1:]}))`;

/** What `finetune --engine torch` needs of Python. */
export const python: Check = {
  name: "Python",
  async look() {
    const file = new URL("../../../engines/torch/requirements.txt", import.meta.url);
    const text = readFileSync(file, "utf8");
    const packages = [...text.matchAll(/^([\w-]+)/gm)].map(([name]) => name);
    const neededFor = "finetune --engine torch";
    // In a project of the user's own it lies in node_modules.
    const inside = relative(".", fileURLToPath(file));
    const at = inside.startsWith("..") ? fileURLToPath(file) : inside;
    const mend = `python3 -m venv .venv && .venv/bin/pip install -r ${at}, then --python .venv/bin/python`;
    try {
      const { stdout } = await promisify(execFile)(PYTHON, ["-c", CODE, ...packages], { timeout: 60_000 });
      const found = Object.entries(versions.parse(JSON.parse(stdout)));
      const there = found.filter(([, version]) => version !== null).map(([name, version]) => `${name} ${version}`);
      const missing = found.filter(([, version]) => version === null).map(([name]) => name);
      return [
        missing.length
          ? { name: "Python", state: "missing", what: `${PYTHON} has no ${missing.join(", ")}`, neededFor, mend }
          : { name: "Python", state: "ok", what: `${PYTHON} has ${there.join(", ")}` },
      ] satisfies Finding[];
    } catch {
      return [{ name: "Python", state: "missing", what: `there is no ${PYTHON} that can be started`, neededFor, mend }];
    }
  },
};
