import { execFileSync } from "node:child_process";
import type { InstallBench } from "../install.js";
import { type Part, PYTHON_MISSING, runBench, type TableRow } from "../table.js";

/** Megabytes of all files of an environment's packages, and the version of torch in it. */
const SIZE = `
import json, os, sysconfig, importlib.metadata as m
place = sysconfig.get_paths()["purelib"]
files = (os.path.join(folder, name) for folder, _, names in os.walk(place) for name in names)
print(json.dumps({"megabytes": sum(os.path.getsize(f) for f in files if not os.path.islink(f)) / 1e6, "torch": m.version("torch")}))
`;

export const install: Part = {
  about: "packing, and installing into an empty folder with an empty cache",
  async rows({ python }) {
    const found: InstallBench = runBench("./install.ts", []);
    const environment = python
      ? (JSON.parse(execFileSync(python, ["-c", SIZE], { encoding: "utf8" })) as { megabytes: number; torch: string })
      : undefined;
    const size: TableRow = {
      ...{ what: `install, ${found.packages} packages`, unit: "MB", ours: found.megabytes },
      ...(environment
        ? {
            theirs: environment.megabytes,
            beside: `all packages of the Python given, torch ${environment.torch} among them`,
            same: "runs the four experiments",
          }
        : { beside: "a Python with reference/requirements.txt", missing: PYTHON_MISSING }),
    };
    const time = (what: string, seconds: number): TableRow => ({
      ...{ what: `install, time with ${what} cache`, unit: "s", ours: seconds },
      ...{ beside: "pip install", missing: "an environment is not installed anew: gigabytes" },
    });
    return [size, time("an empty", found.seconds[0]), time("a full", found.seconds[1])];
  },
};
