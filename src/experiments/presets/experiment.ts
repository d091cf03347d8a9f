import type { ReadingName } from "../../answer/index.js";
import type { Summary } from "../../explore/index.js";
import type { Manifest } from "../../record/index.js";
import type { ShownFigure } from "../../report/index.js";
import type { Row } from "../../tasks/index.js";
import type { ExperimentConfiguration, FinetuneConfiguration } from "../configuration/schema.js";

/** A published figure beside a run's, not yet held against it. */
export type ReproducedFigure = Omit<ShownFigure, "agrees">;

/** What is measured of a stage's answers. */
export interface MeasuredStage {
  readonly n?: number;
  readonly accuracy?: number;
  readonly unreadable?: number;
  readonly statistics?: { readonly clustered: { readonly interval: readonly [number, number] } };
  readonly seconds?: unknown;
  /** Checked where it is read. */
  readonly confusion?: unknown;
}

type Counts = Readonly<Record<string, number | undefined>>;
type Lengths = Readonly<Partial<Record<keyof Summary, number>>>;

/** What of a run's metrics, as it is made or as it is read back, published figures are held against. */
export interface MeasuredMetrics extends MeasuredStage {
  readonly baseline?: MeasuredStage;
  readonly final?: MeasuredStage;
  readonly training?: {
    readonly steps?: number;
    readonly loss?: number;
    readonly seconds?: unknown;
    readonly rowsPerSecond?: unknown;
    readonly validations?: unknown;
    readonly bestEpoch?: unknown;
  };
  readonly losses?: Readonly<Record<string, { readonly loss?: number; readonly perplexity?: number } | undefined>>;
  readonly languages?: unknown;
  readonly answersBySubject?: unknown;
  readonly requests?: unknown;
  readonly rows?: number;
  readonly nulls?: Counts;
  readonly answers?: Counts;
  readonly questionTokens?: Lengths;
  readonly questionAndChoicesTokens?: Lengths;
  readonly shareAtMost256?: number;
}

/** What of a run's folder published figures are held against. */
export interface MeasuredRun {
  readonly metrics: MeasuredMetrics;
  readonly manifest: Pick<Manifest, "data" | "split" | "model">;
  /** What was logged while it trained. */
  readonly trainLog?: readonly { readonly step: number; readonly loss: number }[];
}

/** A published run's mean loss of each so many steps. */
export interface LossCurve {
  readonly every: number;
  readonly losses: readonly number[];
}

/** Mean losses after training, by part of the split. */
export interface FinalLosses {
  readonly validation: number;
  readonly test: number;
}

/** What fine-tuning ended with. */
export interface FinetuneOutcome {
  readonly accuracy: number;
  readonly losses: FinalLosses | undefined;
}

/** What fine-tuning does beyond what its configuration says, as the published run did. */
export interface FinetuneProtocol {
  /** The model's config.json as the hub has it: what it needs of a device is known before anything is fetched. */
  readonly modelConfig?: Readonly<Record<string, unknown>>;
  /** The family of the tiny model that stands in for the real one on the embedded sample. */
  readonly sampleModel: "t5" | "gemma";
  /** Answer extractions whose accuracy is measured besides; replies go on until these are settled too. */
  readonly additionalExtractions: readonly ReadingName[];
  /** Whether prompts are cut to `filter.maxTokens`. */
  readonly truncatesPrompts: boolean;
  /** Whether validation and test loss are measured at the end. */
  readonly measuresFinalLosses: boolean;
  /**
   * The training loss of the published run, where it is known; a run that logs as often is held against it as it goes.
   */
  readonly publishedLosses?: LossCurve;
  /** Its validation loss after each epoch. */
  readonly publishedValidationLosses?: readonly number[];
  /** A question that is asked after training, whatever the rows. */
  readonly exampleQuestion?: Pick<Row, "question" | "choices" | "answer">;
  /** What is logged at the end, by the published run's names. */
  finalMetrics(outcome: FinetuneOutcome): Readonly<Record<string, number>>;
}

/** An experiment with a name: all that is known of it, and of the published run where there is one. */
export interface Experiment<C extends ExperimentConfiguration = ExperimentConfiguration> {
  readonly preset: C;
  /** Bytes that its first run fetches from the hub, data and weights, about; undefined where nobody looked. */
  readonly downloadBytes?: number;
  /** What the published run was called on Weights & Biases. */
  readonly runName?: string;
  /** What differs from the published run whatever the configuration says. */
  readonly deviations: readonly string[];
  /**
   * Published accuracies by stage: `test`, or `baseline` and `final`. They hold on MMMLU itself, with the preset's
   * protocol.
   */
  readonly accuracy: Readonly<Partial<Record<string, number>>>;
  /** All published figures beside a run's. */
  figures(run: MeasuredRun): ReproducedFigure[];
  readonly finetune?: C extends FinetuneConfiguration ? FinetuneProtocol : never;
}
