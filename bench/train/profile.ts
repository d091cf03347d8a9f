import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Device } from "../../src/graph/index.js";

interface ProfiledEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

/** Runs of a node that are not counted: the first ones find their memory. */
const COLD = 2;

/**
 * Has the runtime profile the programs that a device compiles under names that begin so, and tells where their time
 * went.
 */
export function profiled(device: Device, name: string): { shares: () => Record<string, number> } {
  const folder = mkdtempSync(join(tmpdir(), "profile-"));
  const compile = device.compile.bind(device);
  device.compile = (graph, options) =>
    compile(graph, graph.name.startsWith(name) ? { ...options, profilePrefix: join(folder, "run") } : options);
  return {
    /**
     * The operations' shares of the time, largest first; to be asked when the programs are disposed of, which writes
     * the profile.
     */
    shares() {
      const [runs, times] = [new Map<string, number>(), new Map<string, number>()];
      for (const file of readdirSync(folder)) {
        for (const { cat, name: event, dur, args } of JSON.parse(
          readFileSync(join(folder, file), "utf8"),
        ) as ProfiledEvent[]) {
          if (cat !== "Node" || !event.endsWith("_kernel_time") || args?.op_name === undefined) continue;
          const run = (runs.get(event) ?? 0) + 1;
          runs.set(event, run);
          if (run > COLD) times.set(args.op_name, (times.get(args.op_name) ?? 0) + dur);
        }
      }
      rmSync(folder, { recursive: true });
      const total = [...times.values()].reduce((sum, time) => sum + time, 0);
      return Object.fromEntries(
        [...times].sort(([, a], [, b]) => b - a).map(([operation, time]) => [operation, time / total]),
      );
    },
  };
}
