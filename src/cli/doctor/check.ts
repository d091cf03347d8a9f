/** What a check found: there, not there (only some experiments need it), or not as it has to be. */
export type State = "ok" | "missing" | "broken";

export interface Finding {
  readonly name: string;
  readonly state: State;
  /** What is there, or what is the matter. */
  readonly what: string;
  /** What cannot be done without it. */
  readonly neededFor?: string;
  /** What mends it: a command, or words. */
  readonly mend?: string;
}

export interface CheckContext {
  readonly environment: NodeJS.ProcessEnv;
  /** Nobody is asked over a network. */
  readonly offline: boolean;
}

/** One thing that is looked at: its file in this folder, and a line in `index.ts`. */
export interface Check {
  readonly name: string;
  /** Errors that it throws are told as what is the matter. */
  look(context: CheckContext): Promise<readonly Finding[]>;
}
