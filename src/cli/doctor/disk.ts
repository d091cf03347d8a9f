import { existsSync, statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { gigabytes } from "../../base/memory.js";
import { hubSettings } from "../../data/index.js";
import { isCached } from "./cache.js";
import type { Check, Finding } from "./check.js";
import { needs } from "./needs.js";

/** Bytes that are free where a folder is or would be made. */
function freeAt(folder: string): number {
  let at = resolve(folder);
  while (!existsSync(at)) at = dirname(at);
  const { bavail, bsize } = statfsSync(at);
  return bavail * bsize;
}

/** What a run writes beside its downloads: checkpoints hold weights and the optimizer's state. */
const OUTPUTS = 5 * 2 ** 30;

export const disk: Check = {
  name: "disk",
  async look({ environment }) {
    const { cache } = hubSettings({ environment });
    const free = freeAt(cache);
    const short = needs.flatMap(({ experiment, download = 0, repositories }) =>
      download > free && repositories.some((one) => !isCached(cache, one)) ? [{ experiment, download }] : [],
    );
    const downloads: Finding = short.length
      ? {
          name: "disk for downloads",
          state: "missing",
          what: `${gigabytes(free)} free at ${cache}`,
          neededFor: short.map(({ experiment, download }) => `${experiment} (${gigabytes(download)})`).join(", "),
          mend: "set HF_HOME to a folder on a larger disk",
        }
      : { name: "disk for downloads", state: "ok", what: `${gigabytes(free)} free at ${cache}` };
    const here = freeAt("outputs");
    return [
      downloads,
      here < OUTPUTS
        ? {
            name: "disk for runs",
            state: "missing",
            what: `${gigabytes(here)} free at ${resolve("outputs")}`,
            neededFor: "fine-tuning (checkpoints)",
            mend: "give --out a folder on a larger disk",
          }
        : { name: "disk for runs", state: "ok", what: `${gigabytes(here)} free at ${resolve("outputs")}` },
    ];
  },
};
