/*
 * What running a compiled graph costs beside its arithmetic: a graph of 20 small inputs, and what an output of 32 MiB
 * costs that is written into an array there is, beside one that is allocated anew.
 *
 *   npm run bench:graph
 */
import * as g from "../src/graph/index.js";

const device = await g.openDevice("cpu");

/** The tenth part of the runs was at least as fast, in milliseconds. */
async function fastTenth(runs: number, work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[Math.floor(runs / 10)] as number;
}

const many = new g.GraphBuilder("small");
const inputs: Record<string, g.DeviceArray> = {};
let sum: g.Value | undefined;
for (let i = 0; i < 20; i++) {
  const x = many.input(`x${i}`, "float32", [2]);
  inputs[x.name] = device.zeros([2]);
  sum = sum ? g.add(sum, x) : x;
}
many.output("y", sum as g.Value);
const small = await device.compile(many);
console.log(`20 inputs of 2 numbers: ${(await fastTenth(1000, () => small.run(inputs))).toFixed(3)} ms a run`);

const double = new g.GraphBuilder("double");
double.output("y", g.mul(double.input("x", "float32", ["N"]), double.input("s", "float32", [])));
const program = await device.compile(double);
const size = 2 ** 23;
const large = { x: device.array(new Float32Array(size).fill(3), [size]), s: device.array(Float32Array.of(2), []) };
const target = device.zeros([size]);
const into = await fastTenth(30, () => program.run(large, { into: { y: target } }));
const anew = await fastTenth(30, () => program.run(large));
console.log(`32 MiB doubled: ${into.toFixed(2)} ms into an array there is, ${anew.toFixed(2)} ms into a new one`);
