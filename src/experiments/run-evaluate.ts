import type { Answerer } from "../answer/index.js";
import { answererKindOf, gemma3Plan, promptPlan, type RequestPlan } from "../answer/index.js";
import { lockFolder } from "../base/lock.js";
import { evaluate, unreadableInWords } from "../evaluate/index.js";
import { protocolOf, savedModelOf, withoutSecrets, writeManifest } from "../record/index.js";
import { percent } from "../report/index.js";
import { protocolDifferences } from "./configuration/differences.js";
import type { EvaluateConfiguration } from "./configuration/schema.js";
import type { RunContext, RunOutcome } from "./context.js";
import { sampleNotes, stageMetrics, stageOf, writeAnswers } from "./evaluation-results.js";
import { lengthFigures } from "./lengths.js";
import { openRun } from "./open-run.js";
import { factsOf, manifestOf, type Prepared, prepare, splitIds } from "./prepare.js";
import { experimentOf } from "./presets/index.js";
import { withPublishedFigures } from "./reproduce.js";
import { tracked } from "./tracking.js";

/** Runs a zero-shot evaluation: asks what has no reply yet, then reads and measures over all test rows. */
export async function runEvaluate(given: EvaluateConfiguration, context: RunContext): Promise<RunOutcome> {
  // All that is kept or shown is made of this one.
  const configuration = withoutSecrets(given);
  const folder = await openRun(configuration, context);
  const release = lockFolder(folder.path);
  try {
    const prepared = await prepare(configuration, context);
    folder.reopen();
    folder.writeJson("splits.json", splitIds(prepared.splits));
    const answerer = await answererOf(given, prepared, context);
    return await tracked(configuration, folder.path, context, async (tracker, watched) => {
      const evaluation = await evaluate({
        rows: prepared.splits.test,
        total: prepared.splits.test.length,
        answerer,
        plan: planOf(configuration.answerer),
        stage: "test",
        repliesPath: folder.file("replies.jsonl"),
        retriesPath: folder.file("retries.jsonl"),
        concurrency: answerer.concurrency ?? configuration.answerer.concurrency,
        reading: configuration.answerExtraction,
        progress: watched.progress,
        signal: context.signal,
      });
      const stage = stageOf("test", evaluation);
      const parts = manifestOf(prepared, configuration.split);
      const retries = Object.entries(evaluation.retries).map(([reason, count]) => `${reason}: ${count}`);
      const manifest = {
        kind: configuration.kind,
        ...parts,
        model: { name: configuration.answerer.model, description: answerer.description, ...answerer.identity },
        protocol: protocolOf({ configuration }),
        seeds: { split: configuration.split?.seed ?? 0, answerer: configuration.answerer.seed },
        notes: [
          ...sampleNotes(parts),
          ...(answerer.note ? [answerer.note] : []),
          ...(retries.length ? [`Requests made again: ${retries.join(", ")}.`] : []),
          ...(answerer.concurrency === undefined && configuration.answerer.concurrency > 1
            ? [
                `${configuration.answerer.concurrency} requests at once: at temperature 0 a server may still ` +
                  `answer differently from run to run where requests share a batch.`,
              ]
            : []),
        ],
      };
      const metrics = stageMetrics(stage);
      const published = withPublishedFigures(experimentOf(configuration), { metrics, manifest });
      folder.writeJson("metrics.json", {
        ...metrics,
        audit: prepared.audit,
        seconds: evaluation.seconds,
        asked: evaluation.asked,
        cached: evaluation.cached,
        retries: evaluation.retries,
      });
      const report = await writeAnswers(
        folder,
        [stage],
        prepared,
        {
          name: configuration.name,
          description: `${configuration.description}; answered by ${answerer.description}`,
          configuration,
          manifest,
          facts: factsOf(prepared),
          protocolDifferences: protocolDifferences(configuration),
          published,
        },
        {
          experiment: experimentOf(configuration),
          splitKind: configuration.split?.kind,
          lengths: await lengthFigures(prepared.filtered),
        },
      );
      tracker.summary({ test_accuracy: metrics.accuracy, unreadable: metrics.unreadable, n: metrics.n });
      writeManifest(folder, manifest);
      return {
        folder: folder.path,
        report,
        headline: [
          `accuracy ${percent(metrics.accuracy)} of ${metrics.n} (95 %: ` +
            `${metrics.statistics.clustered.interval.map((bound) => percent(bound)).join(" to ")})`,
          `unreadable replies ${metrics.unreadable} (${percent(metrics.n ? metrics.unreadable / metrics.n : 0)})` +
            `${metrics.unreadable ? `: ${unreadableInWords(metrics.unreadableBy)}` : ""}`,
        ],
      };
    }).finally(() => answerer.close());
  } finally {
    release();
  }
}

function planOf(answerer: EvaluateConfiguration["answerer"]): RequestPlan {
  if (answerer.prompt === "questions")
    return gemma3Plan({
      questionsPerRequest: answerer.questionsPerRequest,
      instruction: answerer.instruction,
      maximumTokensPerQuestion: answerer.maxTokensPerQuestion,
      maximumTokensExtra: answerer.maxTokensExtra,
    });
  return promptPlan(answerer.prompt, answerer.maxTokensPerQuestion + answerer.maxTokensExtra);
}

function answererOf({ answerer }: EvaluateConfiguration, prepared: Prepared, context: RunContext): Promise<Answerer> {
  return answererKindOf(answerer.model).create({
    ...answerer,
    logProbabilities: answerer.logprobs,
    retries: answerer.maxRetries,
    prompts: answerer.prompt === "questions" ? "chat" : "text",
    environment: context.environment,
    offline: context.offline,
    progress: context.progress,
    signal: context.signal,
    savedModelOf,
    rows: prepared.splits,
  });
}
