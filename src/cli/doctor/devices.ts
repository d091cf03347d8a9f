import { gigabytes } from "../../base/memory.js";
import { type DeviceReport, describeAdapter, deviceReports } from "../../experiments/index.js";
import type { Check, Finding } from "./check.js";

/** Devices, and whether the experiments that train fit there; `mmmlu devices` tells more. */
export const devices: Check = {
  name: "devices",
  look: async () => (await deviceReports()).flatMap((report) => [there(report), ...shortOf(report)]),
};

const there = ({ name, summary, opens, why, hint, adapters }: DeviceReport): Finding => {
  const device = `device ${name}`;
  const software = adapters.find((adapter) => adapter.software);
  if (opens && software)
    return {
      name: device,
      state: "missing",
      what: `${describeAdapter(software)}: it computes on the processor, slower than the device cpu`,
      neededFor: `--device ${name} on a graphics card`,
      mend: "a graphics card and its driver; until then leave --device out",
    };
  return opens
    ? { name: device, state: "ok", what: adapters.length ? adapters.map(describeAdapter).join(", ") : summary }
    : {
        name: device,
        state: name === "cpu" ? "broken" : "missing",
        what: (why ?? "it does not open").split("\n")[0] as string,
        neededFor: `--device ${name}`,
        mend:
          name === "cpu"
            ? "npm ci (or npm install, in a project of your own), with this Node and on this platform"
            : (hint ?? "such a card and its driver; until then leave --device out"),
      };
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
