import { type Command, Option } from "commander";
import type { EngineSettings, RaySettings } from "../experiments/index.js";
import { wholeNumber } from "./options.js";

/** Flags of `finetune` for who trains. */
export interface EngineFlags {
  readonly engine?: "torch" | "ray";
  readonly python?: string;
  readonly processes?: number;
  readonly microBatch?: number;
  readonly precision?: EngineSettings["precision"];
  readonly gradientCheckpointing?: boolean;
  readonly engineDevice?: EngineSettings["engineDevice"];
  readonly engineModel?: string;
  readonly cluster?: string;
  readonly workers?: number;
  readonly shared?: string;
  readonly onInterrupt?: RaySettings["onInterrupt"];
}

/** Adds {@link EngineFlags} to a command. */
export function withEngineFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--engine <engine>",
        "who trains: torch (PyTorch on this machine) or ray (a Ray cluster); unless given, this program",
      ).choices(["torch", "ray"]),
    )
    .option("--python <program>", "the Python that has PyTorch (default python3)")
    .option("--processes <number>", "processes that train together, a GPU each (default 1)", wholeNumber)
    .option("--micro-batch <rows>", "rows that a process computes at once at most", wholeNumber)
    .addOption(
      new Option("--precision <type>", "what PyTorch's products are computed in").choices([
        "auto",
        "float32",
        "bfloat16",
      ]),
    )
    .option("--gradient-checkpointing", "compute activations twice instead of keeping them")
    .addOption(new Option("--engine-device <device>", "where PyTorch runs").choices(["auto", "cpu", "cuda"]))
    .option("--engine-model <model>", "folder or hub id of the base where PyTorch runs, if it is another one there")
    .option("--cluster <address>", "the dashboard of a Ray cluster, such as http://head:8265")
    .option("--workers <number>", "processes on the cluster that train together, a GPU each", wholeNumber)
    .option("--shared <folder>", "a folder that this machine and all nodes of the cluster see under the same path")
    .addOption(
      new Option("--on-interrupt <choice>", "what becomes of the cluster's job at Ctrl-C (default: asks)").choices([
        "stop",
        "leave",
      ]),
    );
}
