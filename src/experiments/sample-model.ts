import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Progress, silent } from "../base/progress.js";
import { VERSION } from "../base/versions.js";
import { savedModelOf } from "../record/index.js";
import { presetNamed } from "./configuration/configure.js";
import { runExperiment } from "./run.js";
import { onSample } from "./sample.js";

/**
 * The folder of a tiny T5 that was fine-tuned on the embedded sample: made on the first call, which takes a quarter of
 * a minute, and found again by later ones.
 */
export async function sampleModelFolder(progress: Progress): Promise<string> {
  const folder = join(tmpdir(), `mmmlu-lab-sample-t5-${VERSION}-${process.getuid?.() ?? 0}`);
  if (!existsSync(join(folder, "manifest.json"))) {
    progress.say("training the sample's tiny model (once)");
    await runExperiment(
      { ...onSample(presetNamed("flan-t5-finetune")), modelLink: null } as ReturnType<typeof presetNamed>,
      { out: folder, progress: { ...progress, say: silent.say }, environment: {} },
    );
  }
  return savedModelOf(folder);
}
