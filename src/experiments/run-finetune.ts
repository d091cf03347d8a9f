import { hashOf } from "../base/canonical.js";
import { UserError } from "../base/errors.js";
import { lockFolder } from "../base/lock.js";
import { gigabytes, memoryFree } from "../base/memory.js";
import type { Example } from "../models/index.js";
import { hashOfSplits } from "../split/index.js";
import { checkMemory, checkpointProgress, meanLoss, memoryNeed, train } from "../train/index.js";
import { askExample, askModel } from "./ask-model.js";
import { identityOf } from "./configuration/identity.js";
import type { FinetuneConfiguration } from "./configuration/schema.js";
import type { RunContext, RunOutcome } from "./context.js";
import type { Stage } from "./evaluation-results.js";
import { examplesOf } from "./examples.js";
import { linkModel, publishFinetune } from "./finetune-results.js";
import { type ExperimentModel, loadExperimentModel, textFormatOf } from "./model.js";
import { openRun } from "./open-run.js";
import { prepare, splitIds } from "./prepare.js";
import { type FinalLosses, type FinetuneProtocol, finetuneProtocolOf } from "./presets/index.js";
import { tracked } from "./tracking.js";
import { type PublishedLosses, TrainLog } from "./train-log.js";

/**
 * Fine-tunes a model: accuracy before, training (going on from a checkpoint where there is one), accuracy after,
 * saving.
 */
export async function runFinetune(configuration: FinetuneConfiguration, context: RunContext): Promise<RunOutcome> {
  const protocol = finetuneProtocolOf(configuration);
  const folder = await openRun(configuration, context);
  const release = lockFolder(folder.path);
  let loaded: ExperimentModel | undefined;
  try {
    const prepared = await prepare(configuration, context);
    folder.reopen();
    folder.writeJson("splits.json", splitIds(prepared.splits));
    const text = await textFormatOf(configuration, context);
    const examples = {
      train: await examplesOf(prepared.splits.train, prepared.tokenizer, configuration, text),
      validation: await examplesOf(prepared.splits.validation, prepared.tokenizer, configuration, text),
      test: await examplesOf(prepared.splits.test, prepared.tokenizer, configuration, text),
    };
    if (context.signal?.aborted)
      throw new UserError("stopped before the model was loaded", { hint: "Run the same command again." });
    loaded = await loadExperimentModel(
      configuration,
      prepared.tokenizer,
      context,
      folder.file("base"),
      prepared.letters,
    );
    const need = memoryNeed(loaded.model, configuration.training.batchSize, examples.train);
    context.progress.say(
      `${need.trainedCount.toLocaleString("en")} parameters trained, ${need.frozenCount.toLocaleString("en")} ` +
        `frozen; memory needed ${gigabytes(need.total)} of ${gigabytes(memoryFree() + need.parameters)} free; ` +
        `${loaded.device.describe()}`,
    );
    checkMemory(loaded.model, need, memoryFree(), configuration.training.batchSize, examples.train);
    const ready = loaded;
    return await tracked(configuration, folder.path, context, async (tracker, watched) => {
      const stages: Stage[] = [];
      const ask = (stage: "baseline" | "final", trained: Record<string, unknown>) =>
        askModel(stage, trained, ready, prepared.tokenizer, prepared.splits.test, configuration, folder, watched);
      if (configuration.evaluation.baseline) {
        stages.push(await ask("baseline", { trained: false }));
        tracker.log({ baseline_test_accuracy: stages[0]?.metrics.accuracy ?? 0 }, 0);
      }
      const identity = hashOf({
        configuration: identityOf(configuration),
        split: hashOfSplits(prepared.splits),
        tokenizer: prepared.tokenizer.sha256,
        model: ready.identity,
      });
      const checkpointFolder = folder.file("checkpoints");
      const log = await TrainLog.open(
        folder.file("train-log.jsonl"),
        await checkpointProgress(checkpointFolder, (line) => watched.progress.say(line)),
        tracker,
        watched.progress,
        prepared.corpus.kind === "sample" ? {} : publishedLossesOf(protocol, configuration),
      );
      const { training, lora } = configuration;
      const options = {
        ...training,
        schedule: training.lrScheduler,
        betas: training.adamBetas,
        epsilon: training.adamEpsilon,
        dropout: training.dropout !== 0 || (lora !== null && lora.dropout > 0),
        checkpointFolder,
        identity,
      };
      const result = await train(ready.model, examples, options, {
        ...log.hooks,
        shouldStop: () => context.signal?.aborted === true,
      }).finally(() => log.close());
      if (result.stopped)
        throw new UserError(`stopped at step ${result.steps}`, {
          hint:
            result.steps > 0
              ? "A checkpoint is kept: run the same command again, it goes on from there."
              : "Run the same command again.",
        });
      stages.push(await ask("final", { trained: identity, steps: result.steps }));
      const example = await askExample(ready, prepared.tokenizer, configuration);
      const losses = protocol.measuresFinalLosses ? await finalLosses(ready, examples, configuration) : undefined;
      await ready.model.save(folder.file("model"));
      if (configuration.modelLink !== null) linkModel(configuration.modelLink, folder, watched.progress);
      const outcome = await publishFinetune(configuration, folder, {
        prepared,
        loaded: ready,
        stages,
        training: result,
        losses,
        example,
      });
      const accuracy = stages.at(-1)?.metrics.accuracy ?? 0;
      tracker.log(
        {
          ...protocol.finalMetrics({ accuracy, losses }),
          ...(example ? { example_question: example.question, example_answer_predicted: example.predicted } : {}),
        },
        result.steps,
      );
      return outcome;
    });
  } finally {
    await loaded?.model.dispose();
    await loaded?.device.close();
    release();
  }
}

/** Mean validation and test losses. */
async function finalLosses(
  loaded: ExperimentModel,
  examples: Readonly<Record<"validation" | "test", readonly Example[]>>,
  configuration: FinetuneConfiguration,
): Promise<FinalLosses> {
  const size = configuration.evaluation.batchSize;
  return {
    validation: await meanLoss(loaded.model, examples.validation, size),
    test: await meanLoss(loaded.model, examples.test, size),
  };
}

/** The published run's losses, where a run's own are of the same steps. */
function publishedLossesOf(
  { publishedLosses: curve, publishedValidationLosses: validation }: FinetuneProtocol,
  { training }: FinetuneConfiguration,
): PublishedLosses {
  const at = (step: number): number | undefined => curve?.losses[step / (curve?.every ?? 1) - 1];
  return {
    ...(curve && training.loggingSteps === curve.every ? { atStep: at } : {}),
    ...(validation ? { afterEpoch: (epoch: number) => validation[epoch - 1] } : {}),
  };
}
