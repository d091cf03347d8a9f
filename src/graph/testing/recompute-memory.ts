/** Prints the memory that a run of some blocks takes, kept or computed again, and a digest of its gradients. */
import { createHash } from "node:crypto";
import * as g from "../index.js";

const [rows, width, inner, blocks] = [1024, 128, 2048, 6];
const again = process.argv[2] === "recompute";
const device = await g.openDevice("cpu");
const b = new g.GraphBuilder("blocks");
let x = b.input("x", "float32", ["N", width]);
const weights: g.Value[] = [];
const block = ([x, up, down]: readonly g.Value[]): g.Value[] => [
  g.add(x!, g.matmul(g.geluTanh(g.matmul(x!, up!)), down!)),
];
for (let i = 0; i < blocks; i++) {
  const inputs = [x, b.input(`up${i}`, "float32", [width, inner]), b.input(`down${i}`, "float32", [inner, width])];
  weights.push(...inputs.slice(1));
  x = (again ? g.recompute(inputs, block) : block(inputs))[0]!;
}
g.gradients(g.reduceSum(g.square(x)), weights).forEach((gradient, i) => b.output(`d${i}`, g.reduceSum(gradient, [0])));
const program = await device.compile(b);
const arrays: Record<string, g.DeviceArray> = {
  x: device.array(
    new Float32Array(rows * width).map((_, i) => ((i * 31) % 97) / 97),
    [rows, width],
  ),
};
for (const weight of weights)
  arrays[weight.name] = device.array(
    new Float32Array(width * inner).map((_, i) => ((i * 7919) % 1000) / 1e5),
    weight.shape as number[],
  );
const before = process.resourceUsage().maxRSS;
const out = await program.run(arrays);
const megabytes = Math.round((process.resourceUsage().maxRSS - before) / 1024);
// The same shapes again, whose memory is there already.
for (let i = 0; i < 3; i++) await program.run(arrays);
const repeatedMegabytes = Math.round((process.resourceUsage().maxRSS - before) / 1024);
const digest = createHash("sha256");
for (let i = 0; i < weights.length; i++) digest.update(new Uint8Array(out[`d${i}`]!.data.buffer as ArrayBuffer));
console.log(JSON.stringify({ megabytes, repeatedMegabytes, digest: digest.digest("hex") }));
