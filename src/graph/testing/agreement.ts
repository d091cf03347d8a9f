/**
 * Runs every case, forward and backward, on a device and on the CPU, and prints how far they are apart as JSON lines.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as g from "../index.js";
import type { Case } from "../operation.js";
import { cases, inFloat32 } from "./cases.js";
import { dropoutScales } from "./dropout-golden.js";
import { leftToCpu, readProfile } from "./profile.js";
import { compileCase } from "./run-case.js";

/** One case's largest distance between the devices, over the larger of 1 and the values' sizes; or why it failed. */
export interface Agreement {
  readonly name: string;
  readonly error?: number;
  /** Operators of it that the runtime left to the CPU, but whole-number work on shapes. */
  readonly onCpu?: readonly string[];
  readonly failure?: string;
}

const folder = mkdtempSync(join(tmpdir(), "graph-agreement-"));

async function runOn(
  device: g.Device,
  test: Case,
  arrays: Readonly<Record<string, g.DeviceArray>>,
  samples: Case["samples"],
  profilePrefix?: string,
): Promise<Record<string, ArrayLike<number>>> {
  const { program } = await compileCase(device, { ...test, samples }, profilePrefix ? { profilePrefix } : {});
  const results = await program.run(arrays);
  const read: Record<string, ArrayLike<number>> = {};
  for (const [name, array] of Object.entries(results)) {
    read[name] = Array.from((await device.read(array)) as Float32Array, Number);
    device.dispose(array);
  }
  await program.dispose();
  return read;
}

async function agreement(name: string, test: Case, cpu: g.Device, other: g.Device): Promise<Agreement> {
  try {
    const samples = inFloat32(test.samples);
    const arrays = Object.fromEntries(
      Object.entries(samples).map(([key, { data, shape, type }]) => [
        key,
        cpu.array(g.arrayFromNumbers(data, type!), shape, type!),
      ]),
    );
    const expected = await runOn(cpu, test, arrays, samples);
    const found = await runOn(other, test, arrays, samples, join(folder, "profile"));
    return { name, error: distance(expected, found), onCpu: leftToCpu(readProfile(folder)) };
  } catch (failure) {
    return { name, failure: failure instanceof Error ? failure.message : String(failure) };
  }
}

function distance(expected: Record<string, ArrayLike<number>>, found: Record<string, ArrayLike<number>>): number {
  let most = 0;
  for (const [key, values] of Object.entries(expected)) {
    if (found[key]!.length !== values.length) return Infinity;
    for (let i = 0; i < values.length; i++) {
      const error = Math.abs(values[i]! - found[key]![i]!) / Math.max(1, Math.abs(values[i]!));
      if (!(error <= most)) most = Number.isNaN(error) ? Infinity : error;
    }
  }
  return most;
}

/** The mask is a matter of bits: compared with the arithmetic in JavaScript. */
async function dropoutAgreement(device: g.Device): Promise<Agreement> {
  const graph = new g.GraphBuilder("dropout");
  graph.output(
    "y",
    g.dropout(graph.input("x", "float32", ["B", 3, 50]), {
      rate: 0.25,
      seed: graph.input("seed", "int32", []),
      site: 3,
    }),
  );
  const program = await device.compile(graph);
  const { y } = await program.run({
    x: device.array(new Float32Array(600).fill(1), [4, 3, 50]),
    seed: device.array(Int32Array.of(-77), []),
  });
  const found = await device.read(y!);
  return {
    name: "dropout's bits",
    error: distance({ y: dropoutScales(12, 50, -77, 3, 0.25) }, { y: found as Float32Array }),
  };
}

/** State that stays in the device's memory from run to run, fed to another program and read back. */
async function stateAgreement(device: g.Device): Promise<Agreement> {
  const graph = new g.GraphBuilder("state");
  graph.output("next", g.add(g.mul(graph.input("state", "float32", ["N"]), 0.5), graph.input("x", "float32", ["N"])));
  const program = await device.compile(graph);
  const x = device.array(Float32Array.of(1, 2, 3), [3]);
  let state = await device.upload(device.array(Float32Array.of(8, 0, -8), [3]));
  for (let i = 0; i < 3; i++) {
    const { next } = await program.run({ state, x });
    device.dispose(state);
    state = next!;
    if (!state.onDevice) return { name: "state", failure: "the state did not stay on the device" };
  }
  let guarded = false;
  try {
    void state.data;
  } catch (error) {
    guarded = error instanceof g.GraphError;
  }
  if (!guarded) return { name: "state", failure: "the data of an array on the device was given" };
  state = await device.add(state, device.array(Float32Array.of(1, 1, 1), [3]));
  return {
    name: "state",
    error: distance({ state: [3.75, 4.5, 5.25] }, { state: (await device.read(state)) as Float32Array }),
  };
}

async function guard(name: string, run: () => Promise<Agreement>): Promise<Agreement> {
  return run().catch((failure: unknown) => ({
    name,
    failure: failure instanceof Error ? failure.message : String(failure),
  }));
}

const cpu = await g.openDevice("cpu", { threads: 1 });
const other = await g.openDevice((process.argv[2] ?? "webgpu") as g.DeviceName);
const only = process.argv[3];
for (const [name, test] of Object.entries(cases)) {
  if (only === undefined || name.includes(only)) console.log(JSON.stringify(await agreement(name, test, cpu, other)));
}
if (only === undefined) {
  console.log(JSON.stringify(await guard("dropout's bits", () => dropoutAgreement(other))));
  console.log(JSON.stringify(await guard("state", () => stateAgreement(other))));
}
await other.close();
rmSync(folder, { recursive: true });
