/**
 * Trains a network of two hidden layers to tell two spirals apart.
 *
 *   npx tsx examples/train-a-small-network.ts [cpu|webgpu]
 *
 * One graph holds the forward pass, the gradients and the update, so the weights go from run to run without
 * leaving the device. Outside this repository the import is from "mmmlu-lab/graph".
 */
import * as g from "../src/graph/index.js";

const device = await g.openDevice((process.argv[2] ?? "cpu") as g.DeviceName);
console.log(`Device: ${device.describe()}`);

/** mulberry32: the same numbers on every machine. */
let state = 1;
function random(): number {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

/** Points of two interleaved spirals, and which one each is of. */
function spirals(count: number): { points: g.DeviceArray; labels: g.DeviceArray } {
  const points = new Float32Array(2 * count);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    labels[i] = i % 2;
    const distance = random();
    const angle = 1.5 * Math.PI * distance + Math.PI * labels[i]!;
    points[2 * i] = distance * Math.cos(angle) + 0.02 * (random() - 0.5);
    points[2 * i + 1] = distance * Math.sin(angle) + 0.02 * (random() - 0.5);
  }
  return { points: device.array(points, [count, 2]), labels: device.array(labels, [count]) };
}

const shapes = { w1: [2, 32], b1: [32], w2: [32, 32], b2: [32], w3: [32, 2], b3: [2] } as const;
type Name = keyof typeof shapes;
const names = Object.keys(shapes) as Name[];

function logits(points: g.Value, weights: Record<Name, g.Value>): g.Value {
  const first = g.tanh(g.gemm(points, weights.w1, weights.b1));
  const second = g.tanh(g.gemm(first, weights.w2, weights.b2));
  return g.gemm(second, weights.w3, weights.b3);
}

function inputsFor(graph: g.GraphBuilder, prefix = ""): Record<Name, g.Value> {
  return Object.fromEntries(names.map((name) => [name, graph.input(prefix + name, "float32", shapes[name])])) as Record<
    Name,
    g.Value
  >;
}

const training = new g.GraphBuilder("training step");
const weights = inputsFor(training);
const momenta = inputsFor(training, "momentum ");
const losses = g.crossEntropy(
  logits(training.input("points", "float32", ["N", 2]), weights),
  training.input("labels", "int32", ["N"]),
);
const loss = g.reduceMean(losses);
training.output("loss", loss);
g.gradients(
  loss,
  names.map((name) => weights[name]),
).forEach((gradient, i) => {
  const name = names[i]!;
  const momentum = g.add(g.mul(momenta[name], 0.9), gradient);
  training.output(`next momentum ${name}`, momentum);
  training.output(`next ${name}`, g.sub(weights[name], g.mul(momentum, 0.1)));
});
const step = await device.compile(training);

const evaluation = new g.GraphBuilder("evaluation");
evaluation.output("choice", g.argmax(logits(evaluation.input("points", "float32", ["N", 2]), inputsFor(evaluation))));
const evaluate = await device.compile(evaluation, { keepOnDevice: false });

let kept: Record<string, g.DeviceArray> = {};
for (const name of names) {
  const [inputs, outputs = 0] = shapes[name];
  const values = new Float32Array(outputs === 0 ? inputs : inputs * outputs).map(() =>
    outputs === 0 ? 0 : (2 * random() - 1) * Math.sqrt(3 / inputs),
  );
  kept[name] = await device.upload(device.array(values, shapes[name]));
  kept[`momentum ${name}`] = await device.upload(device.zeros(shapes[name]));
}

const data = spirals(400);
for (let i = 1; i <= 1000; i++) {
  const results = await step.run({ ...kept, ...data });
  for (const array of Object.values(kept)) device.dispose(array);
  kept = Object.fromEntries(Object.keys(kept).map((name) => [name, results[`next ${name}`]!]));
  if (i % 200 === 0) console.log(`step ${i}: loss ${((await device.read(results["loss"]!))[0] as number).toFixed(4)}`);
  device.dispose(results["loss"]!);
}

const held = spirals(1000);
const onlyWeights = Object.fromEntries(names.map((name) => [name, kept[name]!]));
const { choice } = await evaluate.run({ ...onlyWeights, points: held.points });
const truth = held.labels.data as Int32Array;
const right = (choice!.data as BigInt64Array).reduce(
  (count, label, i) => count + (Number(label) === truth[i] ? 1 : 0),
  0,
);
console.log(`accuracy on 1000 new points: ${(right / 1000).toFixed(3)}`);
await step.dispose();
await evaluate.dispose();
await device.close();
