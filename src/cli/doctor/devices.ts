import { gigabytes } from "../../base/memory.js";
import { type DeviceReport, deviceReports } from "../../experiments/index.js";
import type { Check, Finding } from "./check.js";

/** Devices, and whether the experiments that train fit there; `mmmlu devices` tells more. */
export const devices: Check = {
  name: "devices",
  look: async () => (await deviceReports()).flatMap((report) => [there(report), ...shortOf(report)]),
};

const there = ({ name, summary, opens, why, adapters }: DeviceReport): Finding =>
  opens
    ? {
        name: `device ${name}`,
        state: "ok",
        what: adapters.length ? adapters.map((adapter) => adapter.name).join(", ") : summary,
      }
    : {
        name: `device ${name}`,
        state: name === "cpu" ? "broken" : "missing",
        what: (why ?? "it does not open").split("\n")[0] as string,
        neededFor: `--device ${name}`,
        mend: name === "cpu" ? "npm ci, with this Node and on this platform" : "mmmlu devices tells what it needs",
      };

/** Experiments that a device has too little memory for. */
const shortOf = ({ name, opens, memory, experiments }: DeviceReport): Finding[] =>
  experiments
    .filter(({ fits }) => opens && fits === false)
    .map(({ experiment, need, why }) => ({
      name: `memory of ${name}`,
      state: "missing" as const,
      what:
        need && memory !== undefined
          ? `${gigabytes(memory)} free, ${gigabytes(need.memory)} needed`
          : (why ?? "too little memory"),
      neededFor: `${experiment} with --device ${name}`,
      mend: "close other programs, or take smaller batches: --set training.batchSize=1",
    }));
