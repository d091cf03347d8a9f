import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as g from "./index.js";
import { uniform } from "./testing/samples.js";

let device: g.Device;
beforeAll(async () => {
  device = await g.openDevice("cpu");
});
afterAll(() => device.close());

describe("arrays on the CPU", () => {
  it("are seen with the changes that were made in place", async () => {
    const b = new g.GraphBuilder("first element");
    b.output("first", g.slice(b.input("x", "float32", ["N"]), 0, 0, 1));
    const program = await device.compile(b);
    const large = new Float32Array(2 ** 20);
    large[0] = 1;
    const array = device.array(large, [large.length]);
    expect(array.data).toBe(large);
    const first = async (x: g.DeviceArray): Promise<number> => (await program.run({ x })).first!.data[0] as number;
    expect(await first(array)).toBe(1);
    large[0] = 2;
    expect(await first(array)).toBe(2);
    await program.dispose();
  });

  it("stand on the version of the runtime that does not copy", () => {
    const found = createRequire(import.meta.url).resolve("onnxruntime-node/package.json");
    expect((JSON.parse(readFileSync(found, "utf8")) as { version: string }).version).toBe("1.30.0");
  });

  it("take outputs, and refuse to overwrite an input that is still needed", async () => {
    const b = new g.GraphBuilder("update");
    const [p, d] = [b.input("p", "float32", ["N"]), b.input("d", "float32", ["N"])];
    b.output("next", g.sub(p, g.mul(d, 0.5)));
    const program = await device.compile(b);
    const data = Float32Array.of(1, 2, 3, 4);
    const weights = device.array(data, [4]);
    const step = device.array(Float32Array.of(2, 2, 2, 2), [4]);
    const out = await program.run({ p: weights, d: step }, { into: { next: weights } });
    expect(out.next).toBe(weights);
    expect([...data]).toEqual([0, 1, 2, 3]);
    await program.dispose();

    // as in AdamW: the momentum is read by a product that the sum written over it waits for
    const adam = new g.GraphBuilder("momentum");
    const [m, v, grad] = [
      adam.input("m", "float32", ["N"]),
      adam.input("v", "float32", ["N"]),
      adam.input("g", "float32", ["N"]),
    ];
    const next = g.add(g.mul(m, 0.5), g.mul(grad, 0.5));
    adam.output("m next", next);
    adam.output("v next", g.sub(v, next));
    const optimizer = await device.compile(adam);
    const [mData, vData] = [Float32Array.of(2, 4), Float32Array.of(1, 1)];
    const [mArray, vArray] = [device.array(mData, [2]), device.array(vData, [2])];
    await optimizer.run(
      { m: mArray, v: vArray, g: device.array(Float32Array.of(0, 2), [2]) },
      { into: { "m next": mArray, "v next": vArray } },
    );
    expect([...mData, ...vData]).toEqual([1, 3, 0, -2]);
    await expect(
      optimizer.run({ m: mArray, v: vArray, g: vArray }, { into: { "m next": vArray, "v next": mArray } }),
    ).rejects.toThrow(/output m next would overwrite input v/);
    await expect(
      optimizer.run({ m: mArray, v: vArray, g: vArray }, { into: { "m next": mArray, "v next": mArray } }),
    ).rejects.toThrow(/outputs m next and v next share memory/);
    await expect(
      optimizer.run({ m: mArray, v: vArray, g: vArray }, { into: { "m next": device.zeros([3]) } }),
    ).rejects.toThrow(/Output m next of the program momentum is float32 \[2\]; the array for it is float32 \[3\]/);
    await optimizer.dispose();

    const twice = new g.GraphBuilder("twice");
    const x = twice.input("x", "float32", ["N"]);
    twice.output("next", g.mul(x, 2));
    twice.output("other", g.softmax(x));
    const other = await device.compile(twice);
    await expect(other.run({ x: weights }, { into: { next: weights } })).rejects.toThrow(
      /output next would overwrite input x/,
    );
    const shifted = device.array(data.subarray(1), [3]);
    await expect(other.run({ x: device.array(data.subarray(0, 3), [3]) }, { into: { next: shifted } })).rejects.toThrow(
      /would overwrite/,
    );
    await other.dispose();
  });

  it("are not copied when they are fed, nor when outputs are written into them: no run takes memory for it", () => {
    const script = fileURLToPath(new URL("./testing/copies-memory.ts", import.meta.url));
    const { megabytes, fed, into, anew, value } = JSON.parse(
      execFileSync(process.execPath, ["--import", "tsx", script], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }),
    ) as Record<"megabytes" | "fed" | "into" | "anew" | "value", number>;
    expect(value).toBe(6);
    expect(fed).toBeLessThan(megabytes / 4);
    expect(into).toBeLessThan(megabytes / 4);
    // What the measure shows where memory is taken.
    expect(anew).toBeGreaterThan(0.75 * megabytes);
  });

  it("hold outputs whose size shows only when the graph has run", async () => {
    const b = new g.GraphBuilder("tail");
    const x = b.input("x", "float32", ["N"]);
    b.output("tail", g.slice(x, 0, 2));
    b.output("double", g.mul(x, 2));
    const program = await device.compile(b);
    const double = device.zeros([4]);
    const out = await program.run({ x: device.array(Float32Array.of(1, 2, 3, 4), [4]) }, { into: { double } });
    expect([...(out.tail!.data as Float32Array), ...(double.data as Float32Array)]).toEqual([3, 4, 2, 4, 6, 8]);
    await program.dispose();
  });

  it("refuse what the runtime cannot hold", () => {
    expect(() => device.array(new Float32Array(3), [2])).toThrow(/3 elements do not fill \[2\]/);
    expect(() => device.array(new Float32Array(2), [2], "int32")).toThrow(/int32 is held by a Int32Array/);
    expect(() => device.array(new Float32Array(new SharedArrayBuffer(8)), [2])).toThrow(/SharedArrayBuffer/);
  });
});

describe("a program", () => {
  it("says what is wrong with its inputs", async () => {
    const b = new g.GraphBuilder("sum");
    b.output("y", g.add(b.input("a", "float32", ["B", 2]), b.input("b", "float32", ["B", 2])));
    b.input("unused", "float32", [1]);
    const program = await device.compile(b);
    const array = (rows: number): g.DeviceArray => device.zeros([rows, 2]);
    await expect(program.run({ a: array(1) })).rejects.toThrow("The program sum needs an input b: float32 [B, 2]");
    await expect(program.run({ a: array(3), b: array(2) })).rejects.toThrow(
      "Input b of the program sum is float32 [2, 2]; it should be float32 [B, 2] with B = 3",
    );
    await expect(program.run({ a: array(3), b: device.zeros([3, 2], "int32") })).rejects.toThrow(
      /is int32 \[3, 2\]; it should be float32 \[B, 2\]/,
    );
    await expect(program.run({ a: array(3), b: array(3), c: array(3) })).rejects.toThrow(
      /has no input c; it has a, b, unused/,
    );
    expect((await program.run({ a: array(3), b: array(3), unused: device.zeros([1]) })).y!.shape).toEqual([3, 2]);
    await program.dispose();
    await expect(program.run({ a: array(1), b: array(1) })).rejects.toThrow(/after it was disposed of/);
  });

  it("says why the runtime failed", async () => {
    const b = new g.GraphBuilder("lookup");
    b.output("y", g.gather(b.input("table", "float32", [4, 2]), b.input("i", "int64", ["N"])));
    const program = await device.compile(b);
    await expect(
      program.run({ table: device.zeros([4, 2]), i: device.array(BigInt64Array.of(9n), [1]) }),
    ).rejects.toThrow(/The program lookup failed: .*out of/s);
    await program.dispose();
  });

  it("has the same bits at every run", async () => {
    const b = new g.GraphBuilder("layer");
    const x = b.input("x", "float32", ["B", "T", 96]);
    const w = b.input("w", "float32", [96, 96]);
    const scale = b.input("scale", "float32", [96]);
    const y = g.softmax(g.matmul(g.rmsNorm(x, scale, 1e-6), g.geluTanh(w), { transB: true }));
    b.output("y", y);
    g.gradientsFrom([y], [y], [x, w, scale]).forEach((value, i) => b.output(`d${i}`, value));
    const program = await device.compile(b);
    const random = uniform(3);
    const filled = (...shape: number[]): g.DeviceArray =>
      device.array(
        Float32Array.from({ length: shape.reduce((a, n) => a * n, 1) }, () => random() - 0.5),
        shape,
      );
    const inputs = { x: filled(8, 50, 96), w: filled(96, 96), scale: filled(96) };
    const first = await program.run(inputs);
    for (let i = 0; i < 5; i++) {
      const again = await program.run(inputs, { shrink: i % 2 === 0 });
      for (const name of Object.keys(first))
        expect(Buffer.from(again[name]!.data.buffer).equals(Buffer.from(first[name]!.data.buffer)), name).toBe(true);
    }
    await program.dispose();
  });

  it("adds up all rows of a repeated index, on several threads too", async () => {
    for (const threads of [1, 4]) {
      const several = await g.openDevice("cpu", { threads });
      const [rows, width, count] = [10, 64, 20_000];
      const b = new g.GraphBuilder("embedding");
      const table = b.input("table", "float32", [rows, width]);
      const indices = b.input("indices", "int64", ["N"]);
      b.output(
        "gradient",
        g.gradientsFrom([g.gather(table, indices)], [b.input("dy", "float32", ["N", width])], [table])[0]!,
      );
      const program = await several.compile(b);
      const { gradient } = await program.run({
        indices: several.array(
          BigInt64Array.from({ length: count }, (_, i) => BigInt((i * 7919) % rows)),
          [count],
        ),
        dy: several.array(new Float32Array(count * width).fill(1), [count, width]),
      });
      expect(new Set(gradient!.data as Float32Array)).toEqual(new Set([count / rows]));
      await program.dispose();
    }
  });
});

describe("devices", () => {
  it("that are not there say what to do", async () => {
    await expect(g.openDevice("tpu" as g.DeviceName)).rejects.toMatchObject({
      name: "GraphError",
      message: "There is no device named tpu",
      hint: "Devices: cpu, webgpu, cuda.",
    });
    const message = execFileSync(
      process.execPath,
      [
        "--import",
        "tsx",
        "--input-type=module",
        "-e",
        `
        const g = await import(${JSON.stringify(fileURLToPath(new URL("./index.ts", import.meta.url)))});
        for (const name of ["webgpu", "cuda"]) {
          try { await g.openDevice(name); console.log("{}"); } catch (e) { console.log(JSON.stringify({ name: e.name, message: e.message, hint: e.hint })); }
        }
      `,
      ],
      {
        env: { ...process.env, VK_ICD_FILENAMES: "/nowhere.json", VK_DRIVER_FILES: "/nowhere.json" },
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    for (const line of message.trim().split("\n")) {
      const error = JSON.parse(line) as { name?: string; message?: string; hint?: string };
      if (error.name === undefined) continue; // a real GPU is here
      expect(error.name).toBe("GraphError");
      expect(error.message).toMatch(/^The device (webgpu|cuda) (cannot be opened: |is not in this installation)/);
      expect(error.hint).toMatch(/use the device cpu/);
    }
  });
});

describe("recompute", () => {
  it("gives the same bits, keeps the inner values of no more than one block, and takes no more memory when the same shapes come again", async () => {
    const [plain, again] = (["plain", "recompute"] as const).map((how) => {
      const script = fileURLToPath(new URL("./testing/recompute-memory.ts", import.meta.url));
      return JSON.parse(
        execFileSync(process.execPath, ["--import", "tsx", script, how], {
          encoding: "utf8",
          stdio: ["ignore", "pipe", "ignore"],
        }),
      ) as { digest: string; megabytes: number; repeatedMegabytes: number };
    });
    expect(again!.digest).toBe(plain!.digest);
    // 6 blocks of about 28 MB each
    expect(again!.megabytes).toBeLessThan(plain!.megabytes * 0.5);
    for (const run of [plain, again]) expect(run!.repeatedMegabytes).toBeLessThan(run!.megabytes * 1.25);
  });

  it("is not merged with the first computation by the runtime", async () => {
    const folder = await mkdtemp(join(tmpdir(), "graph-"));
    const count = async (build: (x: g.Value) => g.Value): Promise<number> => {
      const b = new g.GraphBuilder("once or twice");
      const x = b.input("x", "float32", [8, 8]);
      b.output("d", g.gradients(g.reduceSum(g.square(build(x))), [x])[0]!);
      const path = join(folder, "optimized.onnx");
      await (await device.compile(b, { optimizedModelPath: path })).dispose();
      return readFileSync(path, "latin1").split("Tanh#").length;
    };
    const block = (x: g.Value): g.Value => g.tanh(g.matmul(x, x));
    const once = await count(block);
    expect(await count((x) => g.recompute([x], ([y]) => [block(y!)])[0]!)).toBeGreaterThan(once);
    await rm(folder, { recursive: true });
  });
});

describe("a device's limits and counters", () => {
  it("refuses by name an array that an operation would not reach: inputs, inner values and uploads", async () => {
    const small = await g.openDevice("cpu", { bindingLimit: 1000 });
    const b = new g.GraphBuilder("logits");
    const table = b.input("table", "float32", ["V", 4]);
    const states = b.input("states", "float32", ["N", 4]);
    b.output("sum", g.reduceSum(g.matmul(states, table, { transB: true })));
    const program = await small.compile(b);
    const run = (v: number, n: number) => program.run({ table: small.zeros([v, 4]), states: small.zeros([n, 4]) });
    await expect(run(20, 12)).resolves.toBeDefined();
    await expect(run(63, 1)).rejects.toMatchObject({
      name: "GraphError",
      message:
        "Input table of the program logits is float32 [63, 4], 0.00000101 GB: cpu reaches no more than " +
        "0.000001 GB of one array",
    });
    await expect(run(20, 13)).rejects.toThrow(
      /MatMul#\d+, built at .*runtime\.test\.ts:\d+:\d+, of the program logits is float32 \[13, 20\]/,
    );
    await expect(small.upload(small.zeros([251]), "embed_tokens.weight")).rejects.toThrow(
      /^embed_tokens\.weight is float32 \[251\]/,
    );
    await program.dispose();
    await small.close();
  });

  it("counts runs and operators; in the machine's memory nothing is sent or waited for", async () => {
    const own = await g.openDevice("cpu");
    const b = new g.GraphBuilder("double");
    b.output("y", g.mul(b.input("x", "float32", ["N"]), 2));
    const program = await own.compile(b);
    for (let i = 0; i < 3; i++) await own.read((await program.run({ x: own.zeros([4]) }))["y"]!);
    expect(own.counters).toEqual({ runs: 3, nodes: 6, uploads: 0, bytesSent: 0, bytesRead: 0, waits: 0 });
    await program.dispose();
    await own.close();
  });
});
