import { hashOf } from "../base/canonical.js";
import { UserError } from "../base/errors.js";
import { diedIn, lockFolder } from "../base/lock.js";
import type { Progress } from "../base/progress.js";
import type { Example } from "../models/index.js";
import type { RunFolder } from "../record/index.js";
import { hashOfSplits, splitIds } from "../split/index.js";
import type { Tokenizer } from "../tokens/index.js";
import {
  checkpointProgress,
  hashOfExamples,
  meanLoss,
  refuseForeignCheckpoint,
  type Progress as TrainingProgress,
  type TrainingResult,
  train,
} from "../train/index.js";
import { askExample, askModel } from "./ask-model.js";
import { longestRow, withChosenDevice } from "./choose-device.js";
import { identityOf } from "./configuration/identity.js";
import type { FinetuneConfiguration } from "./configuration/schema.js";
import type { RunContext, RunOutcome } from "./context.js";
import { longestOf, tellMemory, withWhatFits } from "./device-plan.js";
import type { Stage } from "./evaluation-results.js";
import { examplesOf } from "./examples.js";
import { linkModel, publishFinetune } from "./finetune-results.js";
import { type ExperimentModel, loadExperimentModel, textFormatOf } from "./model.js";
import { openRun } from "./open-run.js";
import { CHECKPOINTS, refuseOtherTrainer } from "./other-trainer.js";
import { type Prepared, prepare } from "./prepare.js";
import { type FinalLosses, type FinetuneProtocol, finetuneProtocolOf } from "./presets/index.js";
import { tracked } from "./tracking.js";
import { type PublishedLosses, TrainLog } from "./train-log.js";

/** All that training starts from. */
export interface ToTrain {
  readonly configuration: FinetuneConfiguration;
  readonly loaded: ExperimentModel;
  readonly examples: Readonly<Record<"train" | "validation" | "test", readonly Example[]>>;
  /** Hash of all that the steps depend on. */
  readonly identity: string;
  readonly folder: RunFolder;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
}

/** A model that was trained: its parameters are as training left them. */
export interface Trained {
  readonly result: TrainingResult;
  /** What the reply to a question depends on besides `identity`; nothing where that tells it. */
  readonly identity?: Readonly<Record<string, unknown>>;
  /** What a manifest says of who trained it, and the same as a sentence. */
  readonly engine?: { readonly facts: Readonly<Record<string, unknown>>; readonly note: string };
}

/** Who trains: this program's own engine, or another one whose results are read. */
export interface Trainer {
  /** Whether it trains in this process, and needs its memory. */
  readonly here: boolean;
  /** Called before anything is asked or written. @throws {UserError} where it cannot train this, or not there */
  check?(job: Omit<ToTrain, "loaded">): Promise<void> | void;
  train(job: ToTrain, log: (from?: TrainingProgress) => Promise<TrainLog>): Promise<Trained>;
}

/**
 * Fine-tunes a model: accuracy before, training (going on from a checkpoint where there is one), accuracy after,
 * saving.
 */
export async function runFinetune(
  given: FinetuneConfiguration,
  context: RunContext,
  trainer: Trainer = ownEngine,
): Promise<RunOutcome> {
  const configuration = await withChosenDevice(given, context);
  const protocol = finetuneProtocolOf(configuration);
  const folder = await openRun(configuration, context);
  if (configuration.device !== "cpu" && diedIn(folder.path))
    context.progress.say(
      `the run before this one died on ${configuration.device}: if it had too little memory, --set deviceMemory=N ` +
        `plans with N GiB`,
    );
  const release = lockFolder(folder.path);
  let loaded: ExperimentModel | undefined;
  let longest = longestRow(configuration);
  let failed = false;
  try {
    context.opened?.(folder);
    const prepared = await prepare(configuration, context);
    const tokenizer = await prepared.loadTokenizer();
    const examples = await allExamplesOf(configuration, prepared, context);
    longest = longestOf(examples.train);
    if (context.signal?.aborted)
      throw new UserError("stopped before the model was loaded", { hint: "Run the same command again." });
    loaded = await loadExperimentModel(
      configuration,
      tokenizer,
      context,
      folder.file("base"),
      prepared.letters(),
      trainer.here ? longest : undefined,
    );
    const ready = loaded;
    const decides = trainer.here ? configuration : trainedElsewhere(configuration);
    const identity = trainingIdentity(decides, prepared, tokenizer, ready.identity);
    const { progress, signal } = context;
    // Before anything is written: a run that is there stays as it is.
    await trainer.check?.({ configuration, examples, identity, folder, progress, signal });
    folder.reopen();
    folder.writeJson("splits.json", splitIds(prepared.splits));
    if (trainer.here) tellMemory(ready, configuration, examples.train, context);
    return await tracked(configuration, folder.path, context, async (tracker, watched) => {
      const stages: Stage[] = [];
      const ask = (stage: "baseline" | "final", trained: Record<string, unknown>) =>
        askModel(stage, trained, ready, tokenizer, prepared.splits.test, configuration, folder, watched);
      if (configuration.evaluation.baseline) {
        stages.push(await ask("baseline", { trained: false }));
        tracker.log({ baseline_test_accuracy: stages[0]?.metrics.accuracy ?? 0 }, 0);
      }
      const openLog = (from?: TrainingProgress): Promise<TrainLog> =>
        TrainLog.open(
          folder.file("train-log.jsonl"),
          from,
          tracker,
          watched.progress,
          prepared.corpus.kind === "sample" ? {} : publishedLossesOf(protocol, configuration),
        );
      const trained = await trainer.train(
        { configuration, loaded: ready, examples, identity, folder, progress: watched.progress, signal },
        openLog,
      );
      const { result } = trained;
      if (result.stopped)
        throw new UserError(`stopped at step ${result.steps}`, {
          hint:
            result.steps > 0
              ? "A checkpoint is kept: run the same command again, it goes on from there."
              : "Run the same command again.",
        });
      stages.push(await ask("final", { trained: identity, steps: result.steps, ...trained.identity }));
      const example = await askExample(ready, tokenizer, configuration);
      const losses = protocol.measuresFinalLosses ? await finalLosses(ready, examples, configuration) : undefined;
      await ready.model.save(folder.file("model"));
      if (configuration.modelLink !== null) linkModel(configuration.modelLink, folder, watched.progress);
      const outcome = await publishFinetune(configuration, folder, {
        prepared,
        loaded: ready,
        stages,
        training: result,
        engine: trained.engine,
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
  } catch (error) {
    failed = true;
    throw await withWhatFits(error, loaded?.need, configuration, context, longest);
  } finally {
    // What failed may fail at that too, and why it failed is what matters.
    const quietly = (error: unknown): void => {
      if (!failed) throw error;
    };
    await loaded?.model.dispose().catch(quietly);
    await loaded?.device.close().catch(quietly);
    release();
  }
}

/** The rows of all parts of the split as token ids. */
export async function allExamplesOf(
  configuration: FinetuneConfiguration,
  { splits, loadTokenizer }: Pick<Prepared, "splits" | "loadTokenizer">,
  context: RunContext,
): Promise<ToTrain["examples"]> {
  const tokenizer = await loadTokenizer();
  const text = await textFormatOf(configuration, context);
  return {
    train: await examplesOf(splits.train, tokenizer, configuration, text),
    validation: await examplesOf(splits.validation, tokenizer, configuration, text),
    test: await examplesOf(splits.test, tokenizer, configuration, text),
  };
}

/** Hash of all that training's steps depend on. */
export const trainingIdentity = (
  configuration: FinetuneConfiguration,
  { splits }: Pick<Prepared, "splits">,
  tokenizer: Pick<Tokenizer, "sha256">,
  model: ExperimentModel["identity"],
): string =>
  hashOf({ configuration: identityOf(configuration), split: hashOfSplits(splits), tokenizer: tokenizer.sha256, model });

/** What decides training by another program: not which device of this one measures before and after. */
export const trainedElsewhere = (configuration: FinetuneConfiguration): FinetuneConfiguration => ({
  ...configuration,
  device: "cpu",
});

/** A configuration's training as its loop takes it. */
export const trainingOptionsOf = ({ training, lora }: FinetuneConfiguration) => ({
  ...training,
  schedule: training.lrScheduler,
  betas: training.adamBetas,
  epsilon: training.adamEpsilon,
  dropout: training.dropout !== 0 || (lora !== null && lora.dropout > 0),
});

/** This program's own engine. */
const ownEngine: Trainer = {
  here: true,
  async check({ examples, identity, folder }) {
    await refuseOtherTrainer(folder.path, "own");
    const owner = { identity, examples: hashOfExamples(examples) };
    await refuseForeignCheckpoint(folder.file(CHECKPOINTS), owner);
  },
  async train({ configuration, loaded, examples, identity, folder, progress, signal }, openLog) {
    const checkpointFolder = folder.file(CHECKPOINTS);
    const log = await openLog(await checkpointProgress(checkpointFolder, (line) => progress.say(line)));
    const mergeBatches = loaded.need?.plan.mergeBatches;
    const options = { ...trainingOptionsOf(configuration), mergeBatches, checkpointFolder, identity };
    const result = await train(loaded.model, examples, options, {
      ...log.hooks,
      shouldStop: () => signal?.aborted === true,
    }).finally(() => log.close());
    return { result };
  },
};

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
