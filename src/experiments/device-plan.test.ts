import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { UserError } from "../base/errors.js";
import { silent } from "../base/progress.js";
import { DeviceFailure } from "../graph/index.js";
import { openConfig } from "../models/index.js";
import { longestRow } from "./choose-device.js";
import type { FinetuneConfiguration } from "./configuration/schema.js";
import { type DeviceNeed, deviceNeed } from "./device-needs.js";
import { withWhatFits } from "./device-plan.js";
import { experiments } from "./presets/index.js";

const folder = mkdtempSync(join(tmpdir(), "device-plan-"));
afterAll(() => rmSync(folder, { recursive: true }));

const { preset, finetune } = experiments["flan-t5-finetune"];
writeFileSync(join(folder, "config.json"), JSON.stringify(finetune!.modelConfig));
const configuration: FinetuneConfiguration = {
  ...preset,
  device: "webgpu",
  model: { ...preset.model, source: folder, revision: null },
};
const longest = longestRow(configuration);
const said = (error: unknown, need?: DeviceNeed): Promise<unknown> =>
  withWhatFits(error, need, configuration, { progress: silent, environment: {} }, longest);

describe("a run that its device could not go on with", () => {
  it("says what is kept where the device was lost, be it in training or while it was asked", async () => {
    const lost = new DeviceFailure("An array cannot be read: the device webgpu was lost", "lost");
    expect(await said(lost)).toMatchObject({
      message: lost.message,
      hint: "Replies and checkpoints are kept: run the same command again, it goes on from there.",
      cause: lost,
    });
    const inTraining = new UserError("in step 3: it was lost", { hint: "The checkpoint is kept.", cause: lost });
    expect(await said(inTraining)).toMatchObject({ message: inTraining.message, hint: inTraining.hint });
  });

  it("says what would fit where memory ran out", async () => {
    const full = new DeviceFailure("The program t5.next failed: the device webgpu has no memory left", "memory");
    const config = await openConfig(folder, {});
    const need = await deviceNeed(configuration, config, "webgpu", longest);
    expect(await said(full, need)).toMatchObject({
      hint: expect.stringMatching(
        /^Replies and checkpoints are kept: .* Asking takes less with --set evaluation\.batchSize=\d+, in another folder \(--out\)\. .*--set training\.batchSize=\d/,
      ),
    });
  });

  it("says nothing else of any other error", async () => {
    const other = new Error("x");
    expect(await said(other)).toBe(other);
  });
});
