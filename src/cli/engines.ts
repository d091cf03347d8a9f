import { type Command, Option } from "commander";
import { UsageError } from "../base/errors.js";
import {
  type EngineSettings,
  type FinetuneConfiguration,
  finetuneWithRay,
  finetuneWithTorch,
  type RaySettings,
  type RunContext,
  type RunOutcome,
} from "../experiments/index.js";
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

const OF_BOTH = {
  python: "--python",
  microBatch: "--micro-batch",
  precision: "--precision",
  gradientCheckpointing: "--gradient-checkpointing",
  engineDevice: "--engine-device",
  engineModel: "--engine-model",
} as const;
const OF_RAY = {
  cluster: "--cluster",
  workers: "--workers",
  shared: "--shared",
  onInterrupt: "--on-interrupt",
} as const;
const OF_TORCH = { processes: "--processes" } as const;

/**
 * Who trains, where it is another engine than this program's own.
 * @throws {UsageError} where a flag of another engine is given, or one that the engine needs is not
 */
export function engineOf(
  flags: EngineFlags,
): ((configuration: FinetuneConfiguration, context: RunContext) => Promise<RunOutcome>) | undefined {
  const { engine } = flags;
  refuse(
    flags,
    { ...(engine ? {} : OF_BOTH), ...(engine === "torch" ? {} : OF_TORCH), ...(engine === "ray" ? {} : OF_RAY) },
    engine,
  );
  if (engine === undefined) return undefined;
  if (engine === "ray") {
    const { cluster, shared, workers } = flags;
    if (cluster === undefined || shared === undefined || workers === undefined)
      throw new UsageError("--engine ray needs the cluster, how many workers, and a folder that all machines share", {
        hint: "Give --cluster http://head:8265 --workers 8 --shared /shared/run.",
      });
    const settings: RaySettings = { ...flags, cluster, shared, python: flags.python ?? "python", processes: workers };
    return (configuration, context) => finetuneWithRay(configuration, context, settings);
  }
  const settings: EngineSettings = { ...flags, python: flags.python ?? "python3", processes: flags.processes ?? 1 };
  return (configuration, context) => finetuneWithTorch(configuration, context, settings);
}

/** @throws {UsageError} where one of these flags is given */
function refuse(
  flags: EngineFlags,
  names: Readonly<Partial<Record<keyof EngineFlags, string>>>,
  engine: EngineFlags["engine"],
): void {
  const lost = Object.entries(names).find(([name]) => flags[name as keyof EngineFlags] !== undefined);
  if (!lost) return;
  const [, flag] = lost;
  throw new UsageError(`${flag} is for another engine than ${engine ?? "this program's own"}`, {
    hint:
      flag === OF_TORCH.processes
        ? "Give --engine torch with it; with --engine ray it is --workers."
        : `Give --engine ${Object.values(OF_RAY).includes(flag as never) ? "ray" : "torch"} with it, or leave it out.`,
  });
}
