import { statSync } from "node:fs";
import { type Answerer, answererKindOf, protocols, type ReadingName } from "../answer/index.js";
import { collectGarbage, USUAL_YOUNG, widenYoungGeneration } from "../base/garbage.js";
import { lockFolder } from "../base/lock.js";
import { printableName } from "../base/printable.js";
import {
  type EvaluationMetrics,
  type EvaluationStatistics,
  type Interval,
  type TokenTotals,
  unreadableInWords,
} from "../evaluate/index.js";
import { type RunFolder, savedModelOf, withoutSecrets, writeManifest } from "../record/index.js";
import { percent } from "../report/index.js";
import { splitIds } from "../split/index.js";
import { addCutRound, againNotes, askedAgain, readAgain } from "./again.js";
import { askVariants } from "./ask-variants.js";
import { withChosenDevice } from "./choose-device.js";
import { protocolDifferences } from "./configuration/differences.js";
import type { EvaluateConfiguration } from "./configuration/schema.js";
import type { RunContext, RunOutcome } from "./context.js";
import { sampleNotes, stageMetrics, writeAnswers } from "./evaluation-results.js";
import { lengthFigures } from "./lengths.js";
import { openRun } from "./open-run.js";
import { auditOf, factsOf, manifestOf, type Prepared, prepare, withoutHash } from "./prepare.js";
import { experimentOf } from "./presets/index.js";
import { evaluationPlan, promptKind, protocolFacts } from "./protocol.js";
import { protocolHeadline, protocolMetrics, protocolSections } from "./protocol-results.js";
import { withPublishedFigures } from "./reproduce.js";
import { tracked } from "./tracking.js";

/** Runs a zero-shot evaluation: asks what has no reply yet, then reads and measures over all test rows. */
export async function runEvaluate(asked: EvaluateConfiguration, context: RunContext): Promise<RunOutcome> {
  const given = await withChosenDevice(asked, context);
  // All that is kept or shown is made of this one.
  const configuration = withoutSecrets(given);
  const folder = await openRun(configuration, context);
  const release = lockFolder(folder.path);
  let answerer: Answerer | undefined;
  try {
    context.opened?.(folder);
    if (!answererKindOf(given.answerer.model).ofRows) {
      answerer = await answererOf(given, context);
      // Where there are replies they may all be there, and then nobody need be able to answer.
      if (!hasReplies(folder)) await checked(answerer, context);
    }
    const prepared = await prepare(configuration, context);
    folder.reopen();
    folder.writeJson("splits.json", splitIds(prepared.splits));
    answerer ??= await answererOf(given, context, prepared.splits);
    // What reading the rows has left.
    collectGarbage();
    // Of few rows, little is held beside what is under way.
    if (prepared.splits.test.length < MANY_ROWS) widenYoungGeneration(USUAL_YOUNG);
    return await askAndReport(configuration, folder, prepared, answerer, context);
  } finally {
    await answerer?.close();
    release();
  }
}

/** Rows from which their memory counts for more than a fifth of processor time. */
const MANY_ROWS = 50_000;

/** Whether a run that went on here before has paid for replies. */
const hasReplies = (folder: RunFolder): boolean =>
  (statSync(folder.file("replies.jsonl"), { throwIfNoEntry: false })?.size ?? 0) > 0;

/** @throws {UserError} where it cannot answer */
async function checked(answerer: Answerer, { signal, progress }: RunContext): Promise<void> {
  let told = false;
  await answerer.check?.(signal, ({ reason }) => {
    if (!told) progress.say(`waiting for ${answerer.name}: ${reason}`);
    told = true;
  });
}

async function askAndReport(
  configuration: EvaluateConfiguration,
  folder: RunFolder,
  prepared: Prepared,
  answerer: Answerer,
  context: RunContext,
): Promise<RunOutcome> {
  return await tracked(configuration, folder.path, context, async (tracker, watched) => {
    const { plan, shots } = await evaluationPlan(configuration, prepared, { ...context, progress: watched.progress });
    let rounds = await readAgain(folder.path);
    const ask = () =>
      askVariants(configuration, prepared, answerer, plan, folder, {
        again: askedAgain(rounds, plan),
        progress: watched.progress,
        signal: context.signal,
      });
    let evaluation = await ask();
    const before = evaluation.stage.metrics.accuracy;
    if (context.again) {
      const more = addCutRound(folder, rounds, evaluation.whole, plan, context.again.room);
      if (more.length === rounds.length) context.progress.say("no reply was cut at the limit: nothing is asked again");
      else {
        rounds = more;
        const { asked, seconds } = evaluation;
        const later = await ask();
        evaluation = { ...later, asked: later.asked + asked, seconds: later.seconds + seconds };
      }
    }
    // What asking has left, before the report is made.
    collectGarbage();
    const { stage } = evaluation;
    const parts = manifestOf(prepared, configuration.split);
    const retries = Object.entries(evaluation.retries).map(([reason, count]) => `${reason}: ${count}`);
    const others = othersInWords(evaluation.answeredAs);
    const manifest = {
      kind: configuration.kind,
      ...parts,
      model: {
        name: configuration.answerer.model,
        description: answerer.description,
        ...answerer.identity,
        ...(others.length ? { answeredAs: evaluation.answeredAs } : {}),
      },
      protocol: protocolFacts(configuration),
      tokens: evaluation.tokens,
      seeds: { split: configuration.split?.seed ?? 0, answerer: configuration.answerer.seed },
      notes: [
        ...sampleNotes(parts),
        ...(answerer.note ? [answerer.note] : []),
        ...(shots ? [shots.words] : []),
        ...others,
        ...againNotes(rounds),
        ...(evaluation.renewed
          ? [
              "The data's answers have changed since the run began; replies that are held against the new ones: " +
                `${evaluation.renewed.toLocaleString("en")}.`,
            ]
          : []),
        ...(retries.length ? [`Requests made again: ${retries.join(", ")}.`] : []),
        ...(answerer.concurrency === undefined && configuration.answerer.concurrency > 1
          ? [
              `${configuration.answerer.concurrency} requests at once: at temperature 0 a server may still ` +
                `answer differently from run to run where requests share a batch.`,
            ]
          : []),
      ],
    };
    const metrics = stageMetrics(stage, prepared.drawn?.ofQuestions);
    const further = protocolMetrics(configuration, evaluation, shots);
    const published = withPublishedFigures(experimentOf(configuration), { metrics, manifest });
    folder.writeJson("metrics.json", {
      ...metrics,
      ...further,
      audit: auditOf(prepared),
      ...(prepared.drawn ? { drawn: withoutHash(prepared.drawn) } : {}),
      ...(rounds.length ? { again: rounds.map(({ reason, room, ids }) => ({ reason, room, rows: ids.length })) } : {}),
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
        further: protocolSections(further),
        furtherPredictions: evaluation.further,
      },
    );
    tracker.summary({ test_accuracy: metrics.accuracy, unreadable: metrics.unreadable, n: metrics.n });
    writeManifest(folder, manifest);
    return {
      folder: folder.path,
      report,
      stages: [{ stage: stage.stage, metrics, statistics: metrics.statistics }],
      headline: [
        `accuracy ${percent(metrics.accuracy)} of ${metrics.n} (95 %: ` +
          `${metrics.statistics.clustered.interval.map((bound) => percent(bound)).join(" to ")})`,
        ...wholeLine(metrics.ofTheWhole, prepared),
        `unreadable replies ${metrics.unreadable} (${percent(metrics.n ? metrics.unreadable / metrics.n : 0)})` +
          `${metrics.unreadable ? `: ${unreadableInWords(metrics.unreadableBy)}` : ""}`,
        ...boundsLine(metrics.statistics),
        ...otherReading(configuration.answerExtraction, metrics, folder.path),
        `cut at the limit of tokens ${percent(metrics.statistics.cutShare)}` +
          `${metrics.statistics.cutShare > 0 ? " (run --again cut asks these again with more room)" : ""}`,
        ...protocolHeadline(further),
        ...others,
        ...(evaluation.tokens ? [tokensInWords(evaluation.tokens)] : []),
        ...(context.again ? [`before those were asked again the accuracy was ${percent(before)}`] : []),
      ],
    };
  });
}

/** What a sample of the questions says of all of them. */
const wholeLine = (interval: Interval | undefined, { drawn }: Prepared): string[] =>
  interval && drawn
    ? [
        `of all ${drawn.ofQuestions.toLocaleString("en")} questions, ${drawn.questions.toLocaleString("en")} of ` +
          `which were drawn: ${interval.map((bound) => percent(bound)).join(" to ")} (95 %, finite population ` +
          "correction)",
      ]
    : [];

/** How replies in which a protocol's own reading found no letter are read by ours, without asking anyone. */
const otherReading = (reading: ReadingName, { unreadableBy }: EvaluationMetrics, folder: string): string[] =>
  unreadableBy.withoutLetter > 0 && reading !== "robust"
    ? [`those without a letter by another rule: mmmlu score ${folder} --answer-extraction robust`]
    : [];

/** What the accuracy would be were the unreadable counted otherwise; nothing where all are readable. */
export const boundsLine = ({ bounds, unreadableShare }: EvaluationStatistics): string[] =>
  unreadableShare > 0
    ? [
        `were the unreadable drawn by lot ${percent(bounds.unreadableAtChance)}, were they right ` +
          `${percent(bounds.unreadableRight)}`,
      ]
    : [];

/** Who answered by the server's own word; nothing where it was the model that was asked. */
function othersInWords(answeredAs: Readonly<Record<string, number>>): string[] {
  const names = Object.entries(answeredAs);
  if (names.length === 0) return [];
  const told = names.map(([name, count]) => `${printableName(name, 100)} (${count.toLocaleString("en")})`);
  return [`The server names another model as the one that answered, for so many replies: ${told.join(", ")}.`];
}

/** Tokens as the server counted them. */
function tokensInWords({ prompt, completion, uncounted }: TokenTotals): string {
  const number = (value: number): string => value.toLocaleString("en");
  const without = uncounted ? `; ${number(uncounted)} replies came without their numbers` : "";
  return `tokens ${number(prompt)} in, ${number(completion)} out${without}`;
}

/** @param rows of the kinds that are made of them */
export function answererOf(
  { answerer }: EvaluateConfiguration,
  context: RunContext,
  rows?: Prepared["splits"],
): Promise<Answerer> {
  return answererKindOf(answerer.model).create({
    ...answerer,
    logProbabilities: answerer.logprobs,
    retries: answerer.maxRetries,
    prompts: promptKind(answerer),
    measures: protocols[answerer.protocol].measures,
    beforeAnswer: protocols[answerer.protocol].beforeAnswer,
    environment: context.environment,
    offline: context.offline,
    progress: context.progress,
    signal: context.signal,
    savedModelOf,
    rows,
  });
}
