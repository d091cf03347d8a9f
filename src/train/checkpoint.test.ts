import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hashOf } from "../base/canonical.js";
import { type Device, openDevice } from "../graph/index.js";
import { createTinyT5, type Example } from "../models/index.js";
import { type TrainingOptions, train } from "./index.js";

let device: Device;
const folder = mkdtempSync(join(tmpdir(), "checkpoints-"));
const at = (...names: string[]): string => join(folder, ...names);
beforeAll(async () => {
  device = await openDevice("cpu", { threads: 1 });
});
afterAll(async () => {
  await device.close();
  rmSync(folder, { recursive: true, force: true });
});

const ROWS: Example[] = Array.from({ length: 24 }, (_, index) => ({
  id: `row ${index}`,
  input: [3 + (index % 7), 4 + (index % 5), 1],
  target: [4 + (index % 4)],
}));
const model = (width = 16) =>
  createTinyT5(device, { vocabSize: 24, dModel: width, dKv: 4, numHeads: 4, numLayers: 1, numDecoderLayers: 1 }, 7);
const options = (name: string, more: Partial<TrainingOptions> = {}): TrainingOptions => ({
  epochs: 2,
  batchSize: 4,
  gradientAccumulationSteps: 1,
  learningRate: 1e-2,
  schedule: "linear",
  warmupRatio: 0,
  betas: [0.9, 0.999],
  epsilon: 1e-8,
  weightDecay: 0,
  maxGradNorm: 1,
  seed: 3,
  dropout: true,
  loggingSteps: 2,
  saveSteps: 2,
  checkpointFolder: at(name),
  validateEachEpoch: false,
  loadBestModelAtEnd: false,
  earlyStoppingPatience: null,
  identity: "x",
  ...more,
});
const bytesOf = (trained: Awaited<ReturnType<typeof model>>): string =>
  Buffer.concat(
    trained.parameters.map(({ array }) => Buffer.from(new Uint8Array((array.data as Float32Array).slice().buffer))),
  ).toString("base64");

/** A run that died in its seventh step: checkpoints of the steps 6 and 4 are there. */
async function died(name: string): Promise<void> {
  const dying = train(await model(), { train: ROWS }, options(name), {
    onStep: ({ step }) => {
      if (step === 7) throw new Error("killed");
    },
  });
  await expect(dying).rejects.toThrow("killed");
}
const flip = (path: string, place = 0.6): void => {
  const bytes = readFileSync(path);
  bytes[Math.floor(place * bytes.length)]! ^= 4;
  writeFileSync(path, bytes);
};
const state = (name: string, which = "last") => JSON.parse(readFileSync(at(name, which, "state.json"), "utf8"));
const write = (name: string, change: object, { seal = false } = {}): void => {
  const { sha256, ...changed } = { ...state(name), ...change };
  writeFileSync(
    at(name, "last", "state.json"),
    JSON.stringify({ ...changed, sha256: seal ? hashOf(changed) : sha256 }),
  );
};

describe("a damaged checkpoint", () => {
  let whole: string;
  beforeAll(async () => {
    const trained = await model();
    await train(trained, { train: ROWS }, options("whole"));
    whole = bytesOf(trained);
    await died("killed");
    expect([state("killed").step, state("killed", "previous").step]).toEqual([6, 4]);
  });

  it.each<[string, (name: string) => void, RegExp]>([
    [
      "a weight of one bit",
      (name) => flip(at(name, "last", "weights.safetensors")),
      /weights\.safetensors is not as it was/,
    ],
    [
      "a moment of one bit",
      (name) => flip(at(name, "last", "moments.safetensors"), 0.9),
      /moments\.safetensors is not as/,
    ],
    [
      "cut short",
      (name) =>
        writeFileSync(
          at(name, "last", "moments.safetensors"),
          readFileSync(at(name, "last", "moments.safetensors")).subarray(0, 500),
        ),
      /moments\.safetensors is not as it was written/,
    ],
    ["a file missing", (name) => rmSync(at(name, "last", "weights.safetensors")), /weights\.safetensors is missing/],
    ["no state", (name) => rmSync(at(name, "last", "state.json")), /cannot read .*state\.json/],
    [
      "half a state",
      (name) => writeFileSync(at(name, "last", "state.json"), '{"format": 2, "st'),
      /state\.json is not JSON/,
    ],
    ["another step", (name) => write(name, { step: 5 }), /state\.json is not as it was written/],
    ["another sum of losses", (name) => write(name, { lossSum: 1 }), /state\.json is not as it was written/],
    ["step -5", (name) => write(name, { step: -5 }, { seal: true }), /state\.json: step: /],
    ["step 2.5", (name) => write(name, { step: 2.5 }, { seal: true }), /state\.json: step: /],
    ["rows as text", (name) => write(name, { rows: "24" }, { seal: true }), /state\.json: rows: /],
    ["validations null", (name) => write(name, { validations: null }, { seal: true }), /state\.json: validations: /],
    [
      "another format",
      (name) => write(name, { format: 1 }, { seal: true }),
      /state\.json: format: is not this version's/,
    ],
  ])(
    "%s: the one before it is taken, with a word, and the weights are those of a run that never stopped",
    async (name, damage, why) => {
      cpSync(at("killed"), at(name), { recursive: true });
      damage(name);
      const [again, said]: [Awaited<ReturnType<typeof model>>, string[]] = [await model(), []];
      const result = await train(again, { train: ROWS }, options(name), { onNotice: (line) => said.push(line) });
      expect(result.resumedAt).toBe(4);
      expect(said).toEqual([expect.stringMatching(/^the newest checkpoint is damaged .* step 4$/)]);
      expect(said[0]).toMatch(why);
      expect(bytesOf(again)).toBe(whole);
    },
  );

  it("and the one before it too: both are named, with what to do", async () => {
    cpSync(at("killed"), at("both"), { recursive: true });
    flip(at("both", "last", "weights.safetensors"));
    flip(at("both", "previous", "moments.safetensors"));
    await expect(train(await model(), { train: ROWS }, options("both"))).rejects.toMatchObject({
      message: expect.stringMatching(/^the checkpoint is damaged: .*last\/weights.*; .*previous\/moments/),
      hint: expect.stringContaining("--fresh"),
    });
  });

  it("of the best epoch is not loaded", async () => {
    const more = { validateEachEpoch: true, loadBestModelAtEnd: true };
    await expect(
      train(await model(), { train: ROWS, validation: ROWS }, options("best", more), {
        onValidation: ({ epoch }) => {
          if (epoch === 2) throw new Error("killed");
        },
      }),
    ).rejects.toThrow("killed");
    const lasting = await model();
    const run = { train: ROWS, validation: ROWS };
    await train(lasting, run, options("best", more));
    flip(at("best", "best.safetensors"));
    await expect(train(await model(), run, options("best", more))).rejects.toThrow(
      /damaged: .*best\.safetensors, the weights of the best epoch, is not as it was written/,
    );
  });
});

describe("a checkpoint", () => {
  it("of another model is refused, naming the weight", async () => {
    await expect(train(await model(32), { train: ROWS }, options("killed"))).rejects.toThrow(
      /the checkpoint is of another model: .*shared\.weight is F32 \[24, 16\], and F32 \[24, 32\] is asked for/,
    );
    const frozen = await model();
    frozen.weights.replace({ ...frozen.weights.get("shared.weight"), trained: false });
    await expect(train(frozen, { train: ROWS }, options("killed"))).rejects.toThrow(
      /of another model: .*it has shared\.weight, which is not trained/,
    );
  });

  it("that was whole when the process died takes its place, and loses no step", async () => {
    cpSync(at("killed"), at("rotating"), { recursive: true });
    renameSync(at("rotating", "last"), at("rotating", "new"));
    renameSync(at("rotating", "previous"), at("rotating", "last"));
    const result = await train(await model(), { train: ROWS }, options("rotating"));
    expect(result.resumedAt).toBe(6);
    expect(existsSync(at("rotating", "new"))).toBe(false);
  });
});

it("of rows whose texts have changed is refused; one of an earlier version, which kept no hash of them, is taken", async () => {
  await died("texts");
  const changed = ROWS.map((row, index) => (index === 5 ? { ...row, input: [3, 3, 1] } : row));
  await expect(train(await model(), { train: changed }, options("texts"))).rejects.toThrow(
    /is a checkpoint of other rows: texts have changed since/,
  );
  write("texts", { examples: undefined }, { seal: true });
  expect((await train(await model(), { train: changed }, options("texts"))).resumedAt).toBe(6);
});
