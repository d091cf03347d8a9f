/** A value that can be logged. */
export type Logged = number | string | boolean | null;

/** What a tracker is told of a run when it begins. */
export interface RunDescription {
  readonly name: string;
  readonly project: string;
  readonly configuration: Record<string, unknown>;
  /** Where the run leaves its files; a tracker that writes files of its own does so beside or below it. */
  readonly folder: string;
  readonly kind: string;
}

/**
 * Where the figures of a run go besides its folder. No method throws and none waits for a network: trouble with
 * tracking must never stop or slow a run. A tracker says its troubles through `say`, once each.
 */
export interface Tracker {
  readonly name: string;
  /** Figures at a step; steps must not fall. */
  log(values: Readonly<Record<string, Logged>>, step: number): void;
  /** Figures of the whole run. */
  summary(values: Readonly<Record<string, Logged>>): void;
  /** A line that the run printed. */
  output(line: string): void;
  /** Ends the run; resolves when all is on disk (and sent, where it is sent), after a bounded wait. */
  finish(exitCode: number): Promise<void>;
}

/** Several trackers as one. */
export function together(trackers: readonly Tracker[]): Tracker {
  return {
    name: trackers.map((tracker) => tracker.name).join(" + ") || "none",
    log: (values, step) => trackers.forEach((tracker) => tracker.log(values, step)),
    summary: (values) => trackers.forEach((tracker) => tracker.summary(values)),
    output: (line) => trackers.forEach((tracker) => tracker.output(line)),
    finish: async (exitCode) => {
      await Promise.all(trackers.map((tracker) => tracker.finish(exitCode)));
    },
  };
}
