import type { Progress } from "../base/progress.js";
import type { EvaluationMetrics, EvaluationStatistics } from "../evaluate/index.js";
import type { RunFolder, WandbMode } from "../record/index.js";

/** What a run is given besides its configuration: where it writes, who watches, what may interrupt it. */
export interface RunContext {
  /** The run's folder; undefined means `outputs/<name>`. */
  readonly out?: string;
  /** Moves an older run in the folder aside. */
  readonly fresh?: boolean;
  /** No network. */
  readonly offline?: boolean;
  /** W&B's mode, over the configuration's. */
  readonly wandb?: WandbMode;
  /** Rows to be asked again, with so many times the room: those whose reply was cut at the limit of tokens. */
  readonly again?: { readonly what: "cut"; readonly room: number };
  readonly progress: Progress;
  /** Aborted by Ctrl-C: what was done is kept. */
  readonly signal?: AbortSignal;
  readonly environment: NodeJS.ProcessEnv;
  /** Asks whoever sits before the terminal; the first choice stands for no answer. Without it, nobody does. */
  readonly choose?: (question: string, choices: readonly string[]) => Promise<string>;
  /** Told the run's folder once it is this process's own. */
  readonly opened?: (folder: RunFolder) => void;
}

/** What a run found of one stage's answers. */
export interface StageOutcome {
  readonly stage: string;
  readonly metrics: EvaluationMetrics;
  readonly statistics: EvaluationStatistics;
}

/** What a run tells when it is done. */
export interface RunOutcome {
  readonly folder: string;
  readonly report: string;
  /** Headline figures, in words. */
  readonly headline: readonly string[];
  /** Its answers by stage, where it asked any. */
  readonly stages?: readonly StageOutcome[];
}
