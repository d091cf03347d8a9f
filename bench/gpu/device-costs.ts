import {
  add,
  type Device,
  type DeviceArray,
  type DeviceName,
  GraphBuilder,
  matmul,
  openDevice,
} from "../../src/graph/index.js";

/** What a device's parts cost: figures that predictions for models start from. */
export interface DeviceCosts {
  /** 10¹² floating-point operations a second of a product of Gemma's feed-forward shape, by the way it is written. */
  readonly productTflops: { readonly matmul: number; readonly transposed: number };
  /** Microseconds of a run of one small operator, and of one operator more in a run. */
  readonly runMicroseconds: number;
  readonly operatorMicroseconds: number;
  /** 10⁹ bytes a second. */
  readonly uploadGigabytes: number;
  readonly readGigabytes: number;
}

/** Seconds of a call, the best of some. */
async function best(repeats: number, call: () => Promise<void>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    await call();
    least = Math.min(least, performance.now() - start);
  }
  return least / 1000;
}

/** One element of what is still being computed: waits for all of it. */
async function waitFor(device: Device, array: DeviceArray): Promise<void> {
  await device.read(array);
}

export async function measureDevice(name: DeviceName, small: boolean): Promise<DeviceCosts> {
  const device = await openDevice(name);
  try {
    const [rows, inner, columns] = small ? [64, 64, 128] : [2400, 2304, 9216];
    const megabytes = small ? 1 : 256;
    return {
      productTflops: {
        matmul: await product(device, rows, inner, columns, false),
        transposed: await product(device, rows, inner, columns, true),
      },
      ...(await runCosts(device, small ? 20 : 200)),
      ...(await transfers(device, megabytes * 2 ** 20)),
    };
  } finally {
    await device.close();
  }
}

/** Chained products x · W · V · W · V …: one result to wait for. */
async function product(device: Device, rows: number, inner: number, columns: number, transB: boolean): Promise<number> {
  const chain = 8;
  const graph = new GraphBuilder("products");
  let x = graph.input("x", "float32", [rows, inner]);
  const w = graph.input("w", "float32", transB ? [columns, inner] : [inner, columns]);
  const v = graph.input("v", "float32", transB ? [inner, columns] : [columns, inner]);
  for (let i = 0; i < chain; i++) x = matmul(matmul(x, w, { transB }), v, { transB });
  graph.output("y", x);
  const program = await device.compile(graph);
  const filled = (shape: readonly number[]): Promise<DeviceArray> =>
    device.upload(device.array(new Float32Array(shape[0]! * shape[1]!).fill(1e-4), shape));
  const inputs = {
    x: await filled([rows, inner]),
    w: await filled(w.shape as number[]),
    v: await filled(v.shape as number[]),
  };
  const seconds = await best(4, async () => {
    const { y } = await program.run(inputs);
    await waitFor(device, y!);
    device.dispose(y!);
  });
  for (const array of Object.values(inputs)) device.dispose(array);
  await program.dispose();
  return (2 * chain * 2 * rows * inner * columns) / seconds / 1e12;
}

async function runCosts(device: Device, runs: number) {
  const long = 32;
  const compiled = async (count: number) => {
    const graph = new GraphBuilder(`adds ${count}`);
    let x = graph.input("x", "float32", [64]);
    const one = graph.input("one", "float32", [64]);
    for (let i = 0; i < count; i++) x = add(x, one);
    graph.output("y", x);
    return device.compile(graph);
  };
  const seconds = async (count: number): Promise<number> => {
    const program = await compiled(count);
    const one = await device.upload(device.array(new Float32Array(64).fill(1), [64]));
    const time = await best(2, async () => {
      let x = await device.upload(device.array(new Float32Array(64), [64]));
      for (let i = 0; i < runs; i++) {
        const { y } = await program.run({ x, one });
        device.dispose(x);
        x = y!;
      }
      await waitFor(device, x);
      device.dispose(x);
    });
    device.dispose(one);
    await program.dispose();
    return time / runs;
  };
  const [short, whole] = [await seconds(1), await seconds(long)];
  return { runMicroseconds: 1e6 * short, operatorMicroseconds: (1e6 * (whole - short)) / (long - 1) };
}

async function transfers(device: Device, bytes: number) {
  const host = device.array(new Float32Array(bytes / 4).fill(1), [bytes / 4]);
  let there: DeviceArray | undefined;
  const up = await best(3, async () => {
    if (there) device.dispose(there);
    there = await device.upload(host);
  });
  const down = await best(3, async () => void (await device.read(there!)));
  device.dispose(there!);
  return { uploadGigabytes: bytes / up / 1e9, readGigabytes: bytes / down / 1e9 };
}
