/**
 * Prints by how many MB a run raises the most memory that the process ever had: what it copies or allocates shows
 * there.
 */
import * as g from "../index.js";

const megabytes = 128;
const size = megabytes * 2 ** 18;
const device = await g.openDevice("cpu");
const filled = (): g.DeviceArray => device.array(new Float32Array(size).fill(3), [size]);

/**
 * Megabytes by which the second run of `work` raises the peak; the first has had the runtime allocate what it keeps.
 */
async function growth(warm: () => Promise<unknown>, work: () => Promise<unknown>): Promise<number> {
  await warm();
  const before = process.resourceUsage().maxRSS;
  for (let i = 0; i < 3; i++) await work();
  return Math.round((process.resourceUsage().maxRSS - before) / 1024);
}

const head = new g.GraphBuilder("first element");
head.output("first", g.slice(head.input("x", "float32", ["N"]), 0, 0, 1));
const first = await device.compile(head);
const x = filled();
const small = device.array(new Float32Array(16), [16]);
const fed = await growth(
  () => first.run({ x: small }),
  () => first.run({ x }),
);

const double = new g.GraphBuilder("double");
double.output("y", g.mul(double.input("x", "float32", ["N"]), double.input("s", "float32", [])));
const program = await device.compile(double);
const s = device.array(Float32Array.of(2), []);
const target = filled();
const warm = (): Promise<unknown> => program.run({ x: small, s });
const into = await growth(warm, () => program.run({ x, s }, { into: { y: target } }));
const anew = await growth(warm, () => program.run({ x, s }));
console.log(JSON.stringify({ megabytes, fed, into, anew, value: (target.data as Float32Array).at(-1) }));
