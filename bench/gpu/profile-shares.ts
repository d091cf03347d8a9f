import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface ProfiledEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

/**
 * Shares of the time in a folder of the runtime's profiles, the largest first: of operators as the host sees them, and
 * of kernels on the card (`gpu: …`) where the driver tells their times.
 */
export function profileShares(folder: string): Record<string, number> {
  const times = new Map<string, number>();
  for (const file of readdirSync(folder).filter((name) => name.startsWith("profile")))
    for (const { cat, name, dur, args } of JSON.parse(readFileSync(join(folder, file), "utf8")) as ProfiledEvent[]) {
      const host = cat === "Node" && name.endsWith("_kernel_time") && args?.op_name !== undefined;
      const key = host
        ? args.op_name!
        : cat === "Api" || cat === "Kernel"
          ? `gpu: ${name.split(/[&#]/)[0]}`
          : undefined;
      if (key !== undefined) times.set(key, (times.get(key) ?? 0) + dur);
    }
  const share = (prefix: boolean): [string, number][] => {
    const some = [...times].filter(([key]) => key.startsWith("gpu: ") === prefix).sort(([, a], [, b]) => b - a);
    const total = some.reduce((sum, [, time]) => sum + time, 0);
    return some.slice(0, 20).map(([key, time]) => [key, time / total]);
  };
  return Object.fromEntries([...share(true), ...share(false)]);
}
