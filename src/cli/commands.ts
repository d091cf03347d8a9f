import type { Command } from "commander";
import { boundYoungGeneration, SMALL_YOUNG } from "../base/garbage.js";

/**
 * A command as the overview names it. What it takes and does stands in a file of its own, which is loaded where it is
 * asked for.
 */
export interface CommandEntry {
  readonly name: string;
  readonly description: string;
  /** Gives the function that adds arguments, options and action. */
  load(): Promise<(command: Command) => Command>;
}

/** The commands, in the order in which the help lists them. */
export const commands: readonly CommandEntry[] = [
  {
    name: "run",
    description: "run an experiment; the same command goes on where it stopped",
    load: async () => {
      boundYoungGeneration(SMALL_YOUNG);
      return (await import("./run.js")).runCommand;
    },
  },
  {
    name: "plan",
    description: "say what an experiment will take, and what it will be able to show, before it is run",
    load: async () => (await import("./plan.js")).planCommand,
  },
  {
    name: "prepare",
    description: "filter and split an experiment's rows, and audit the split",
    load: async () => (await import("./prepare.js")).prepareCommand,
  },
  {
    name: "finetune",
    description: "fine-tune as a configuration file says",
    load: async () => (await import("./run.js")).finetuneCommand,
  },
  {
    name: "reproduce",
    description: "run the published experiments and put their figures beside the published ones",
    load: async () => (await import("./reproduce.js")).reproduceCommand,
  },
  {
    name: "sweep",
    description: "run models × protocols × languages in order; one that fails does not stop the rest",
    load: async () => (await import("./sweep.js")).sweepCommand,
  },
  {
    name: "score",
    description: "read a run's kept replies again, with any reading; asks nobody",
    load: async () => (await import("./score.js")).scoreCommand,
  },
  {
    name: "compare",
    description: "compare runs on the rows that all of them answered",
    load: async () => (await import("./compare.js")).compareCommand,
  },
  {
    name: "explain",
    description: "take the difference of two results apart: rows, keys, reading, scoring, truncation, the rest",
    load: async () => (await import("./explain.js")).explainCommand,
  },
  {
    name: "lens",
    description: "look at the same questions in several languages: agreement, gaps, suspect translations and keys",
    load: async () => (await import("./lens.js")).lensCommand,
  },
  {
    name: "leaderboard",
    description: "a table of all runs by model and language, beside the published figures",
    load: async () => (await import("./leaderboard.js")).leaderboardCommand,
  },
  {
    name: "view",
    description: "look at runs in a browser: a list, a run, a comparison, a run that is still going",
    load: async () => (await import("./view.js")).viewCommand,
  },
  {
    name: "serve",
    description: "serve a model on this machine as OpenAI's HTTP API",
    load: async () => (await import("./serve.js")).serveCommand,
  },
  {
    name: "doctor",
    description: "look at this machine, or at a server: what is there, what is missing, what mends it",
    load: async () => (await import("./doctor.js")).doctorCommand,
  },
  {
    name: "merge",
    description: "merge an adapter into its base model's weights, and check that both answer alike",
    load: async () => (await import("./merge.js")).mergeCommand,
  },
  {
    name: "export",
    description: "write a model, or an experiment's work, in a format that other programs take",
    load: async () => (await import("./export.js")).exportCommand,
  },
  {
    name: "import",
    description: "take over what other programs made of an experiment's work",
    load: async () => (await import("./import.js")).importCommand,
  },
  {
    name: "devices",
    description: "the devices there are, their memory, and what each experiment needs of them",
    load: async () => (await import("./devices.js")).devicesCommand,
  },
  {
    name: "demo",
    description: "the whole way on the embedded sample: explore, fine-tune, serve, evaluate, compare",
    load: async () => (await import("./demo.js")).demoCommand,
  },
  {
    name: "list",
    description: "the experiments there are",
    load: async () => (await import("./list.js")).listCommand,
  },
  {
    name: "show",
    description: "print an experiment's whole configuration as JSON",
    load: async () => (await import("./show.js")).showCommand,
  },
  {
    name: "schema",
    description: "print the JSON schema of configuration files, for editors",
    load: async () => (await import("./schema.js")).schemaCommand,
  },
  {
    name: "completion",
    description: "print a shell's completion script: bash, zsh or fish",
    load: async () => (await import("./completion.js")).completionCommand,
  },
  {
    name: "validate",
    description: "check a configuration file and name the bad key",
    load: async () => (await import("./validate.js")).validateCommand,
  },
];
