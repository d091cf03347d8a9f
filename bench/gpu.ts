/*
 * Fine-tuning on a GPU, measured: for both published models with random weights made in memory rows a second and
 * TFLOPS, beside a large product on the same device; what a step sends and waits for; what a run, an upload and a read
 * cost; and with --profile where the time goes by the runtime's own profile.
 *
 *   npm run bench:gpu [-- --device webgpu] [--only flan-t5-finetune] [--steps 5] [--small] [--profile] [--json FILE]
 *                     [--python python3]
 *
 * --small takes two layers and a small vocabulary: it shows that the bench works where there is no GPU (on the CPU, or
 * on SwiftShader), and its figures mean nothing. The plan of memory (4-bit weights expanded, batches together) is the
 * product's own; --plan smallest|roomiest takes another. The first two steps warm up and do not count. Beside it
 * stands the PyTorch engine on the same rows where --python (python3 unless given) has what
 * engines/torch/requirements.txt lists and torch finds the GPU (or --device is cpu); else why not.
 */
import { writeFileSync } from "node:fs";
import { release } from "node:os";
import { parseArgs } from "node:util";
import { memoryOf } from "../src/experiments/device-needs.js";
import { adapterOf, DEVICE_NAMES, type DeviceName } from "../src/graph/index.js";
import { measureDevice } from "./gpu/device-costs.js";
import { MEASURED, measureModel } from "./gpu/model-steps.js";
import { measureTorch, noTorch } from "./gpu/torch-steps.js";
import { versions } from "./gpu/versions.js";

const { values } = parseArgs({
  options: {
    device: { type: "string", default: "webgpu" },
    only: { type: "string" },
    steps: { type: "string", default: "5" },
    plan: { type: "string", default: "auto" },
    small: { type: "boolean", default: false },
    profile: { type: "boolean", default: false },
    json: { type: "string" },
    python: { type: "string", default: "python3" },
  },
});
const names: readonly string[] = MEASURED;
const wrong = (what: string, known: readonly string[]): never => {
  console.error(`${what}; there is ${known.join(", ")}.`);
  process.exit(2);
};
const device = DEVICE_NAMES.find((name) => name === values.device) as DeviceName;
if (!device) wrong(`There is no device ${values.device}`, DEVICE_NAMES);
if (values.only !== undefined && !names.includes(values.only)) wrong(`There is no experiment ${values.only}`, names);
const PLANS = ["auto", "smallest", "roomiest"] as const;
const plan = PLANS.find((name) => name === values.plan)!;
if (!plan) wrong(`There is no plan ${values.plan}`, PLANS);
const steps = Number(values.steps);
if (!Number.isInteger(steps) || steps < 1) wrong(`--steps ${values.steps} is no whole number`, ["1, 2, …"]);

const adapter = await adapterOf(device);
const costs = await measureDevice(device, values.small);
const models = [];
for (const name of MEASURED.filter((one) => values.only === undefined || one === values.only))
  models.push(
    await measureModel(name, {
      device,
      steps,
      plan,
      small: values.small,
      profile: values.profile,
      memory: memoryOf(adapter),
      productTflops: costs.productTflops,
    }),
  );
const torch = { python: values.python, device: device === "cpu" ? "cpu" : "auto" } as const;
const absent = await noTorch(torch);
const byTorch = [];
if (absent === undefined)
  for (const name of MEASURED.filter((one) => values.only === undefined || one === values.only))
    byTorch.push(await measureTorch(name, { ...torch, steps, small: values.small, profile: values.profile }));
const result = {
  device,
  adapter: adapter ?? null,
  system: `${process.platform} ${release()} ${process.arch}`,
  versions: versions(),
  small: values.small,
  costs,
  models,
  torch: absent === undefined ? byTorch : { absent },
};
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
console.log(JSON.stringify(result, null, 2));
