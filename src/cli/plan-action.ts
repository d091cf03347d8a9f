import { UsageError } from "../base/errors.js";
import { gigabytes } from "../base/memory.js";
import { minimumDetectableDifference, type PairedDesign, pairedDesign, requiredQuestions } from "../evaluate/index.js";
import { type Estimate, type Plan, type Probe, planExperiment, probeRun, withSplit } from "../experiments/index.js";
import { loadComparedRuns, percent, points } from "../report/index.js";
import { configurationOf, contextOf } from "./context.js";
import type { ExperimentFlags } from "./experiment-flags.js";
import { print } from "./print.js";

export interface PlanFlags extends ExperimentFlags {
  readonly probe?: number | true;
  readonly priceInput?: number;
  readonly priceOutput?: number;
  readonly difference?: number;
  readonly discordance?: number;
  readonly correlation?: number;
  readonly like: string[];
  readonly power: number;
  readonly json?: boolean;
}

/** What is taken where nobody says how two models differ: runs of this benchmark mostly lie between these. */
const USUAL_DISCORDANCES = [0.05, 0.1, 0.2, 0.3];
const USUAL_CORRELATION = 0.3;

export async function plan(experiment: string, flags: PlanFlags): Promise<void> {
  const configuration = withSplit(await configurationOf(experiment, flags));
  const prices =
    flags.priceInput === undefined && flags.priceOutput === undefined
      ? undefined
      : { input: flags.priceInput ?? 0, output: flags.priceOutput ?? 0 };
  if (flags.probe !== undefined && configuration.kind !== "evaluate")
    throw new UsageError(`${experiment}: kind is ${configuration.kind}, and --probe asks a server or a model`, {
      hint: "Leave --probe out.",
    });
  const measured = await designOf(flags);
  const context = contextOf(flags);
  try {
    const { plan: made, prepared } = await planExperiment(configuration, context);
    const probe =
      flags.probe !== undefined && configuration.kind === "evaluate"
        ? await probeRun(configuration, prepared, context, flags.probe === true ? 20 : flags.probe, prices)
        : undefined;
    const detectable = detectableOf(made, flags, measured);
    if (flags.json) process.stdout.write(`${JSON.stringify({ ...made, probe, detectable }, null, 2)}\n`);
    else print(...planLines(made, prices), ...(probe ? probeLines(probe) : []), ...detectableLines(detectable, flags));
  } finally {
    context.done();
  }
}

/** How two finished runs differ, where they are named. */
async function designOf({ like }: PlanFlags): Promise<PairedDesign | undefined> {
  if (like.length === 0) return undefined;
  if (like.length !== 2)
    throw new UsageError(`--like is given ${like.length === 1 ? "once" : `${like.length} times`}: it takes two runs`, {
      hint: "Name two finished runs that differ as those to come may: --like outputs/a --like outputs/b.",
    });
  const [first, second] = await loadComparedRuns(like);
  const design = pairedDesign(first!.predictions, second!.predictions);
  if (!design)
    throw new UsageError(`${like.join(" and ")} answer no row differently: nothing can be taken from them`, {
      hint: "Name other runs, or give --discordance.",
    });
  return design;
}

interface Detectable {
  readonly discordance: number;
  readonly correlation: number;
  readonly rowsAQuestion: number;
  /** Undefined where not even the largest possible one would be found. */
  readonly difference?: number;
  /** Rows and questions that the wanted difference needs; undefined where it is larger than the discordance. */
  readonly wanted?: { readonly questions: number; readonly rows: number };
}

function detectableOf(made: Plan, flags: PlanFlags, measured: PairedDesign | undefined): Detectable[] {
  const given = flags.discordance ?? measured?.discordance;
  const correlation = flags.correlation ?? measured?.correlation ?? USUAL_CORRELATION;
  const rowsAQuestion = made.rows / Math.max(1, made.questions);
  return (given === undefined ? USUAL_DISCORDANCES : [given]).map((discordance) => {
    const design = { languages: Math.max(1, rowsAQuestion), discordance, correlation, power: flags.power };
    const questions =
      flags.difference !== undefined && flags.difference <= discordance
        ? requiredQuestions(flags.difference, design)
        : undefined;
    return {
      discordance,
      correlation,
      rowsAQuestion,
      ...(made.questions ? { difference: minimumDetectableDifference(made.questions, design) } : {}),
      ...(questions === undefined ? {} : { wanted: { questions, rows: Math.ceil(questions * rowsAQuestion) } }),
    };
  });
}

const number = (value: number): string => Math.round(value).toLocaleString("en");

function planLines(made: Plan, prices: { input: number; output: number } | undefined): string[] {
  const { promptTokens: tokens, memory, training, drawn } = made;
  const most = (tokens.total * (prices?.input ?? 0) + made.replyTokensAtMost * (prices?.output ?? 0)) / 1e6;
  return [
    `rows ${number(made.rows)} of ${number(made.questions)} questions in ${made.languages.length} languages` +
      `${drawn ? `, drawn from ${number(drawn.ofRows)} rows of ${number(drawn.ofQuestions)} questions` : ""}`,
    `requests ${number(made.requests)}`,
    `prompt tokens ${number(tokens.total)}, the longest prompt ${number(tokens.longest)} (${tokens.tokenizer}` +
      `${tokens.whole ? "" : "; the server's chat template comes to it"}); reply tokens at most ` +
      `${number(made.replyTokensAtMost)}`,
    ...(training
      ? [
          `training: ${number(training.rows)} rows, ${number(training.steps)} steps, ${number(training.tokens)} ` +
            `prompt tokens over all epochs`,
        ]
      : []),
    `memory: rows ${gigabytes(memory.rows)}` +
      `${memory.weights === undefined ? "" : `, weights ${gigabytes(memory.weights)} or more`}` +
      `${memory.unknown ? `, and ${memory.unknown}` : ""}; free ${gigabytes(memory.free)}`,
    ...(prices ? [`cost at most ${money(most)}, were each reply as long as it may be`] : []),
  ];
}

const money = (value: number): string => value.toFixed(value < 0.1 ? 4 : 2);

function duration(seconds: number): string {
  if (seconds < 100) return `${seconds.toFixed(1)} s`;
  return seconds < 6000 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

const between = ({ value, interval }: Estimate, written: (value: number) => string): string =>
  `${written(value)} (95 %: ` +
  `${interval.map((bound) => (Number.isFinite(bound) ? written(bound) : "unknown")).join(" to ")})`;

const probeLines = (probe: Probe): string[] => [
  `probe: ${number(probe.rows)} rows in ${number(probe.requests)} requests; their replies are kept for the run`,
  `time of the whole run ${between(probe.seconds, duration)}`,
  ...(probe.promptTokens ? [`prompt tokens as the server counts ${between(probe.promptTokens, number)}`] : []),
  ...(probe.completionTokens ? [`reply tokens ${between(probe.completionTokens, number)}`] : []),
  ...(probe.promptTokens ? [] : ["the server does not say how many tokens it read and wrote: no cost can be told"]),
  ...(probe.cost ? [`cost ${between(probe.cost, money)}`] : []),
  ...(probe.cut > 0
    ? [`${percent(probe.cut)} of the probed replies ended at the limit of tokens: raise it first`]
    : []),
];

function detectableLines(found: readonly Detectable[], flags: PlanFlags): string[] {
  const chance = percent(flags.power, 0);
  return [
    `differences of two models that ${chance} of such runs would find (McNemar by question at 0.05; correlation of a ` +
      `question's rows ${found[0]!.correlation.toFixed(2)}):`,
    ...found.map(({ discordance, difference, wanted }) =>
      [
        `  where just one is right in ${percent(discordance)} of rows: ` +
          `${difference === undefined ? "none, there are too few questions" : points(difference)}`,
        wanted &&
          `${points(flags.difference!)} needs ${number(wanted.rows)} rows of ${number(wanted.questions)} questions ` +
            `(--limit)`,
        flags.difference !== undefined &&
          !wanted &&
          `${points(flags.difference)} is more than that share: it cannot be`,
      ]
        .filter(Boolean)
        .join("; "),
    ),
  ];
}
