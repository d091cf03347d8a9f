import { totalmem } from "node:os";
import { gigabytes, memoryFree } from "../../base/memory.js";
import type { Check } from "./check.js";

/** What an exploration of all languages takes (docs/benchmarks.md); training's needs stand by its device. */
const LEAST = 1.2 * 2 ** 30;

export const memory: Check = {
  name: "memory",
  async look() {
    const free = memoryFree();
    const what = `${gigabytes(free)} free of ${gigabytes(totalmem())}`;
    return free >= LEAST
      ? [{ name: "memory", state: "ok", what }]
      : [{ name: "memory", state: "missing", what, neededFor: "every preset", mend: "close other programs" }];
  },
};
