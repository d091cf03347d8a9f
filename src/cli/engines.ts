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
import type { EngineFlags } from "./engine-flags.js";

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
