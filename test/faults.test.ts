import { describe, expect, it } from "vitest";
import type { FaultOptions, Outcome } from "./faults/common.js";
import { disks, exportDisks } from "./faults/disks.js";
import { hostileFiles } from "./faults/files.js";
import { killDownload, killEvaluation, killExports, killReport, killTraining } from "./faults/kills.js";
import { secrets } from "./faults/secrets.js";
import { hostileServer } from "./faults/server.js";
import { ourServers } from "./faults/serving.js";

/* A small share of `npm run test:faults`, which docs/reliability.md has the whole of. */
const parts: readonly [string, number, (options: FaultOptions) => Promise<Outcome[]>][] = [
  ["kills of a download", 0.03, killDownload],
  ["kills of a report", 0.015, killReport],
  ["kills of an evaluation", 0.015, killEvaluation],
  ["kills of a training", 0.01, killTraining],
  ["a hostile server", 0.02, hostileServer],
  ["disks", 0.01, disks],
  ["kills of exports", 0.01, killExports],
  ["exports on disks that let them down", 0.01, exportDisks],
  ["hostile files", 0.003, hostileFiles],
  ["our servers under siege", 0.05, ourServers],
  ["secrets", 0.01, secrets],
];

describe("faults", () => {
  it.each(parts)("%s: all holds", async (_, share, part) => {
    for (const { faults, count } of await part({ share, seed: 20, say: () => {} })) {
      expect(faults).toEqual([]);
      expect(count).toBeGreaterThan(0);
    }
  });
});
