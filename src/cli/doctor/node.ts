import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { z } from "zod";
import type { Check } from "./check.js";

const packageSchema = z.object({ engines: z.object({ node: z.string().regex(/^>=\d+\.\d+$/) }) });

export const node: Check = {
  name: "Node",
  async look() {
    const text = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
    const needed = packageSchema.parse(JSON.parse(text)).engines.node.slice(2);
    const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
    const [least = 0, leastMinor = 0] = needed.split(".").map(Number);
    const enough = major > least || (major === least && minor >= leastMinor);
    const cores = availableParallelism();
    return [
      {
        name: "Node",
        state: enough ? "ok" : "broken",
        what:
          `${process.versions.node} on ${process.platform} ${process.arch}, ${cores} core${cores === 1 ? "" : "s"} ` +
          `(${cpus()[0]?.model.trim() || "unknown"})`,
        neededFor: enough ? undefined : "everything",
        mend: enough ? undefined : `install Node ${needed} or later`,
      },
    ];
  },
};
