import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { shared, withoutShared } from "../../test/shared.js";
import { type Device, openDevice } from "../graph/index.js";
import type { Example } from "../models/model.js";
import { createTinyT5 } from "../models/t5/create.js";
import {
  batchesOfStep,
  learningRateAt,
  memoryNeed,
  rowOrder,
  TorchGenerator,
  type TrainingOptions,
  totalSteps,
  train,
  warmupSteps,
} from "./index.js";
import { checkMemory, checkWeights } from "./memory.js";

describe.skipIf(withoutShared)("torch's order of rows", () => {
  it("is torch's", () => {
    const golden = JSON.parse(readFileSync(shared("golden", "torch_rng.json"), "utf8"));
    for (const [seed, cases] of Object.entries<any>(golden.randperm)) {
      for (const [n, expected] of Object.entries<any>(cases)) {
        const order = new TorchGenerator(Number(seed)).randperm(Number(n));
        if (Array.isArray(expected)) expect([...order]).toEqual(expected);
        else expect([...order.slice(0, expected.first20.length)]).toEqual(expected.first20);
      }
    }
    const sampler = golden.accelerate_SeedableRandomSampler_like["10"];
    expect([...rowOrder(10, 42, 0)]).toEqual(sampler["seed42_plus_epoch0"]);
    expect([...rowOrder(10, 42, 1)]).toEqual(sampler["seed42_plus_epoch1"]);
    const large = golden.accelerate_SeedableRandomSampler_like["4740"]["seed42_plus_epoch0"];
    const order = rowOrder(4740, 42, 0);
    expect([...order.slice(0, 20)]).toEqual(large.first20);
    if (large.sha256_i64le)
      expect(createHash("sha256").update(BigInt64Array.from(order, BigInt)).digest("hex")).toBe(large.sha256_i64le);
  });
});

describe("plans and schedules", () => {
  it("have the published numbers of steps", () => {
    expect(totalSteps({ rows: 18752, batchSize: 8, gradientAccumulationSteps: 1, epochs: 2, seed: 42 })).toBe(4688);
    expect(totalSteps({ rows: 18956, batchSize: 4, gradientAccumulationSteps: 4, epochs: 2, seed: 42 })).toBe(2370);
  });
  it("see every row once an epoch", () => {
    const plan = { rows: 23, batchSize: 3, gradientAccumulationSteps: 2, epochs: 2, seed: 1 };
    const rows = [0, 1, 2, 3].flatMap((step) => batchesOfStep(plan, step).flat());
    expect(rows.sort((a, b) => a - b)).toEqual(Array.from({ length: 23 }, (_, index) => index));
  });
  it("rise and fall", () => {
    const cosine = { schedule: "cosine" as const, learningRate: 1, totalSteps: 101, warmupRatio: 0.05 };
    expect(warmupSteps(cosine)).toBe(6);
    expect(learningRateAt(cosine, 3)).toBeCloseTo(0.5);
    expect(learningRateAt(cosine, 6)).toBe(1);
    expect(learningRateAt(cosine, 101)).toBeCloseTo(0);
    const linear = { schedule: "linear" as const, learningRate: 2, totalSteps: 10, warmupRatio: 0 };
    expect([0, 5, 10].map((step) => learningRateAt(linear, step))).toEqual([2, 1, 0]);
  });
});

let device: Device;
beforeAll(async () => {
  device = await openDevice("cpu", { threads: 1 });
});
afterAll(() => device.close());

const examples = (count: number): Example[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `row ${index}`,
    input: Array.from({ length: 4 + (index % 5) }, (_, k) => 3 + ((index * 7 + k * 3) % 20)).concat(1),
    target: [4 + (index % 4)],
  }));
const model = (dropout = 0.1) =>
  createTinyT5(
    device,
    {
      vocabSize: 24,
      dModel: 16,
      dKv: 4,
      numHeads: 4,
      dFf: 16,
      numLayers: 1,
      numDecoderLayers: 1,
      dropoutRate: dropout,
    },
    7,
  );
const options = (folder: string, more: Partial<TrainingOptions> = {}): TrainingOptions => ({
  epochs: 2,
  batchSize: 4,
  gradientAccumulationSteps: 2,
  learningRate: 1e-2,
  schedule: "linear",
  warmupRatio: 0.1,
  betas: [0.9, 0.999],
  epsilon: 1e-8,
  weightDecay: 0.01,
  maxGradNorm: 1,
  seed: 3,
  dropout: true,
  loggingSteps: 2,
  saveSteps: 2,
  checkpointFolder: folder,
  validateEachEpoch: false,
  loadBestModelAtEnd: false,
  earlyStoppingPatience: null,
  identity: "x",
  ...more,
});
const folder = (): string => mkdtempSync(join(tmpdir(), "train-"));
const weightsOf = (trained: Awaited<ReturnType<typeof model>>): string =>
  createHash("sha256")
    .update(
      Buffer.concat(trained.parameters.map(({ array }) => Buffer.from((array.data as Float32Array).slice().buffer))),
    )
    .digest("hex");

describe("training", () => {
  it("learns, and goes on bit for bit where it stopped", async () => {
    const rows = examples(30);
    const whole = await model();
    const result = await train(whole, { train: rows }, options(folder()));
    expect(result).toMatchObject({ steps: 8, rows: 60, stopped: false });

    const at = folder();
    let seen = 0;
    const first = await model();
    const stopped = await train(first, { train: rows }, options(at), {
      shouldStop: () => seen === 3,
      onStep: () => seen++,
    });
    expect(stopped).toMatchObject({ steps: 3, stopped: true });
    const logged: number[] = [];
    const second = await model();
    const begun: unknown[] = [];
    const resumed = await train(second, { train: rows }, options(at), {
      onBegin: (from) => begun.push(from),
      onLog: (line) => logged.push(line.step),
    });
    expect(begun).toEqual([{ step: 3, totalSteps: 8 }]);
    expect(resumed).toMatchObject({ steps: 8, resumedAt: 3 });
    expect(logged).toEqual([4, 6, 8]);
    expect(weightsOf(second)).toBe(weightsOf(whole));
    expect(resumed.loss).toBe(result.loss);
  });

  it("loses only the steps since the last checkpoint when it dies", async () => {
    const rows = examples(30);
    const whole = await model();
    await train(whole, { train: rows }, options(folder()));
    const at = folder();
    const dying = await model();
    await expect(
      train(dying, { train: rows }, options(at), {
        onStep: ({ step }) => {
          if (step === 5) throw new Error("killed");
        },
      }),
    ).rejects.toThrow("killed");
    const second = await model();
    expect((await train(second, { train: rows }, options(at))).resumedAt).toBe(4);
    expect(weightsOf(second)).toBe(weightsOf(whole));
  });

  it("goes on from the last checkpoint where it was killed while the next one took its place", async () => {
    const rows = examples(30);
    const whole = await model();
    await train(whole, { train: rows }, options(folder()));
    const at = folder();
    await expect(
      train(await model(), { train: rows }, options(at), {
        onStep: ({ step }) => {
          if (step === 5) throw new Error("killed");
        },
      }),
    ).rejects.toThrow("killed");
    renameSync(join(at, "last"), join(at, "last.4711-0123abcd.old"));
    mkdirSync(join(at, "last.4711-0123abcd.tmp"));
    const second = await model();
    expect((await train(second, { train: rows }, options(at))).resumedAt).toBe(4);
    expect(weightsOf(second)).toBe(weightsOf(whole));
    expect(readdirSync(at)).toEqual(["last", "previous"]);
  });

  it("makes 1 × 8 of 4 × 2", async () => {
    const rows = examples(32);
    const [once, parts] = [await model(0), await model(0)];
    const a = await train(
      once,
      { train: rows },
      options(folder(), { batchSize: 8, gradientAccumulationSteps: 1, dropout: false }),
    );
    const b = await train(
      parts,
      { train: rows },
      options(folder(), { batchSize: 2, gradientAccumulationSteps: 4, dropout: false }),
    );
    expect(a.steps).toBe(b.steps);
    expect(Math.abs(a.loss - b.loss)).toBeLessThan(1e-4);
    once.parameters.forEach(({ array }, index) => {
      const other = parts.parameters[index]?.array.data as Float32Array;
      // Adam divides by the gradient's size: where that is near nothing, rounding decides.
      const far = (array.data as Float32Array).filter(
        (value, k) => Math.abs(value - (other[k] as number)) > 2e-3,
      ).length;
      expect(far).toBeLessThanOrEqual(0.02 * array.size);
    });
  });

  it("keeps the best epoch and stops early", async () => {
    const rows = examples(24);
    // Labels that contradict: the better it learns the rows, the worse the validation.
    const validation = examples(12).map((row) => ({ ...row, target: [((row.target[0] as number) % 4) + 4] }));
    const trained = await model(0);
    const result = await train(
      trained,
      { train: rows, validation },
      options(folder(), {
        epochs: 20,
        learningRate: 5e-2,
        validateEachEpoch: true,
        loadBestModelAtEnd: true,
        earlyStoppingPatience: 2,
        dropout: false,
      }),
    );
    expect(result.validations.length).toBeLessThan(20);
    const lowest = result.validations.reduce((a, b) => (b.loss < a.loss ? b : a));
    expect(result.bestEpoch).toBe(lowest.epoch);
    const { meanLoss } = await import("./loop.js");
    expect(await meanLoss(trained, validation, 4)).toBeCloseTo(lowest.loss, 5);
  });

  it("ends after maxSteps, its learning rate fallen by then, and validates a cut epoch", async () => {
    const [rows, validation] = [examples(24), examples(8)];
    const rates: number[] = [];
    const trained = await model(0);
    const result = await train(
      trained,
      { train: rows, validation },
      options(folder(), { maxSteps: 4, loggingSteps: 1, validateEachEpoch: true, dropout: false }),
      { onLog: ({ learningRate }) => rates.push(learningRate) },
    );
    // Three steps are an epoch.
    expect(result).toMatchObject({ steps: 4, rows: 32, stopped: false });
    expect(result.validations.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 3],
      [2, 4],
    ]);
    const schedule = { schedule: "linear", learningRate: 1e-2, warmupRatio: 0.1, totalSteps: 4 } as const;
    expect(rates).toEqual([0, 1, 2, 3].map((step) => learningRateAt(schedule, step)));
    const all = await train(await model(0), { train: rows }, options(folder(), { maxSteps: 100, dropout: false }));
    expect(all.steps).toBe(6);
  });

  it("stopped within a validation, goes on with it: no step is taken again", async () => {
    const [rows, validation] = [examples(24), examples(20).map((row) => ({ ...row, id: `validation ${row.id}` }))];
    const more = { validateEachEpoch: true, loadBestModelAtEnd: true, epochs: 3, saveSteps: 100 };
    const whole = await model();
    const expected = await train(whole, { train: rows, validation }, options(folder(), more));
    const at = folder();
    const first = await model();
    let batches = 0;
    const loss = first.loss.bind(first);
    first.loss = (some) => {
      batches++;
      return loss(some);
    };
    const stopped = await train(first, { train: rows, validation }, options(at, more), {
      shouldStop: () => batches === 7,
    });
    expect(stopped).toMatchObject({ stopped: true, steps: 6, validations: [{ epoch: 1 }] });
    expect(batches).toBe(7);
    const [second, steps, epochs]: [Awaited<ReturnType<typeof model>>, number[], number[]] = [await model(), [], []];
    const resumed = await train(second, { train: rows, validation }, options(at, more), {
      onStep: ({ step }) => void steps.push(step),
      onValidation: ({ epoch }) => void epochs.push(epoch),
    });
    expect([steps, epochs]).toEqual([
      [7, 8, 9],
      [2, 3],
    ]);
    expect(resumed.validations).toEqual(expected.validations);
    expect(weightsOf(second)).toBe(weightsOf(whole));
  });

  it("ends at a loss that is not finite, naming step and rows, and keeps the checkpoint", async () => {
    const at = folder();
    const trained = await model(0);
    await expect(
      train(trained, { train: examples(30) }, options(at, { dropout: false }), {
        onStep: ({ step }) => {
          if (step === 3) (trained.parameters[0]!.array.data as Float32Array).fill(Number.NaN);
        },
      }),
    ).rejects.toMatchObject({
      message: expect.stringMatching(/is NaN in step 4, rows row \d+/),
      hint: expect.stringContaining("The checkpoint of step 2 is kept"),
    });
    expect(existsSync(join(at, "last", "state.json"))).toBe(true);
  });

  it("refuses a gradient of what is not trained, and none of what is", async () => {
    const trained = await model(0);
    const other = await model(0);
    const [first] = other.parameters;
    const more = trained.lossAndGradients.bind(trained);
    const run = (given: typeof trained) =>
      train(given, { train: examples(8) }, options(folder(), { epochs: 1, dropout: false }));
    const frozen = { ...first!, trained: false };
    trained.lossAndGradients = async (some, asked) => {
      await asked.receive(frozen, device.zeros(frozen.shape));
      return more(some, asked);
    };
    await expect(run(trained)).rejects.toMatchObject({
      message: "the model gave a gradient of shared.weight, which is not trained",
    });
    trained.lossAndGradients = (some, asked) =>
      more(some, {
        ...asked,
        receive: (parameter, gradient) =>
          parameter.name === "shared.weight" ? undefined : asked.receive(parameter, gradient),
      });
    await expect(run(trained)).rejects.toMatchObject({
      message: expect.stringMatching(/^no gradient of shared\.weight came out of step 1/),
    });
    // What is frozen while training goes on is noticed too.
    await expect(
      train(other, { train: examples(30) }, options(folder(), { dropout: false }), {
        onStep: ({ step }) => {
          if (step === 2) other.weights.replace({ ...first!, trained: false });
        },
      }),
    ).rejects.toMatchObject({ message: expect.stringMatching(/no gradient of shared\.weight came out of step 3/) });
  });

  it("ends at a validation loss that is not finite", async () => {
    const trained = await model(0);
    const spoilt = {
      ...trained,
      device: trained.device,
      parameters: trained.parameters,
      lossAndGradients: trained.lossAndGradients.bind(trained),
      loss: async () => ({ lossSum: Number.NaN, tokens: 1 }),
    };
    await expect(
      train(
        spoilt as never,
        { train: examples(8), validation: examples(4) },
        options(folder(), { validateEachEpoch: true, dropout: false }),
      ),
    ).rejects.toMatchObject({
      message: expect.stringMatching(/the validation loss is NaN in step 1, rows row 0/),
      hint: expect.stringContaining("The checkpoint of step 1 is kept"),
    });
  });

  it("says that a checkpoint is damaged, and what to do", async () => {
    const at = folder();
    await train(await model(), { train: examples(8) }, options(at, { epochs: 1 }));
    const file = join(at, "last", "moments.safetensors");
    writeFileSync(file, readFileSync(file).subarray(0, 500));
    await expect(train(await model(), { train: examples(8) }, options(at, { epochs: 1 }))).rejects.toMatchObject({
      message: expect.stringMatching(/the checkpoint is damaged: .*moments\.safetensors/),
      hint: expect.stringContaining("--fresh"),
    });
  });

  it("refuses another run's checkpoint", async () => {
    const at = folder();
    await train(await model(), { train: examples(8) }, options(at, { epochs: 1 }));
    await expect(
      train(await model(), { train: examples(8) }, options(at, { epochs: 1, identity: "y" })),
    ).rejects.toThrow(/another configuration/);
  });

  it("refuses what cannot fit, and says what would", async () => {
    const trained = await model();
    const rows = examples(8);
    const need = memoryNeed(trained, 8, rows);
    expect(need.trainedCount).toBeGreaterThan(1000);
    expect(() => checkMemory(trained, need, 3 * need.gradients + trained.activationBytes(4, 10), 8, rows)).toThrow(
      /GiB is free/,
    );
    expect(() => checkMemory(trained, need, 10 * need.total, 8, rows)).not.toThrow();
  });

  it("refuses weights that cannot fit before they are read", () => {
    const gigabyte = 2 ** 30;
    expect(() => checkWeights("google/flan-t5-base", 250e6, 4, true, 6 * gigabyte)).not.toThrow();
    const refused = (free: number, all: boolean): unknown => {
      try {
        checkWeights("google/flan-t5-xl", 2.85e9, 4, all, free);
        return undefined;
      } catch (error) {
        return error;
      }
    };
    expect(refused(24 * gigabyte, true)).toMatchObject({
      message: expect.stringMatching(
        /2,850,000,000 parameters: training all its weights needs at least 42\.5 GiB .* 24\.0 GiB is free/,
      ),
      hint: expect.stringContaining("lora="),
    });
    expect(refused(24 * gigabyte, false)).toBeUndefined();
    expect(refused(8 * gigabyte, false)).toMatchObject({
      message: expect.stringContaining("its weights need 10.6 GiB"),
      hint: expect.stringContaining("smaller model"),
    });
  });
});
