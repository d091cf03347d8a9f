import { type Command, Option } from "commander";
import { collect } from "./options.js";

/** How many times the room a reply that was cut gets when it is asked for again, unless it is said. */
export const ROOM = 4;

/** Flags that every command on an experiment takes. */
export interface ExperimentFlags {
  readonly set: string[];
  readonly data?: string;
  readonly revision?: string;
  readonly languages?: string;
  readonly sample?: boolean;
  readonly offline?: boolean;
  readonly out?: string;
  readonly fresh?: boolean;
  readonly wandb?: "online" | "offline" | "disabled";
  readonly device?: string;
  readonly model?: string;
  readonly limit?: string;
  readonly again?: "cut";
  readonly room?: number;
}

/** Adds {@link ExperimentFlags} to a command. */
export function withExperimentFlags(
  command: Command,
  { out = "the run's folder (default outputs/<name>)" } = {},
): Command {
  return command
    .option(
      "--data <source>",
      "a hub id, a folder with the files of one, a file of own rows (.csv, .jsonl, .parquet), or sample",
    )
    .option("--revision <revision>", "commit, branch or tag of the data on the hub")
    .option("--languages <list>", "such as DE_DE,FR_FR, or as the data set codes them")
    .option(
      "--model <model>",
      "a hub id or folder to train; or who answers: a server's model, local:<folder, run, file or hub id>, " +
        "baseline:majority …",
    )
    .option(
      "--limit <questions>",
      "so many questions, drawn by subject, the same in every language and for every model",
    )
    .option("--sample", "the embedded sample, with a tokenizer and a tiny model made on the spot")
    .option("--set <key=value>", "change one key, such as training.epochs=3; may be given several times", collect, [])
    .option("--device <device>", "cpu (default), webgpu, cuda, or auto to have one chosen")
    .option("--out <folder>", out)
    .option("--fresh", "move an older run in the folder aside and begin anew")
    .option("--offline", "no network: everything must be in the cache")
    .addOption(new Option("--wandb <mode>", "log to Weights & Biases").choices(["online", "offline", "disabled"]));
}
