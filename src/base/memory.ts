import { readFileSync } from "node:fs";
import { freemem } from "node:os";
import { join } from "node:path";

/**
 * Bytes of memory that this process may still take: what the system has, or the limits of its control groups (a
 * container's, a service's) leave. Files that the system keeps in memory count as free: it gives them up.
 * @param root where the system's files lie
 */
export function memoryFree(root = "/"): number {
  const text = (...names: string[]): string => {
    try {
      return readFileSync(join(root, ...names), "utf8");
    } catch {
      return "";
    }
  };
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(text("proc/meminfo"));
  let free = available ? Number(available[1]) * 1024 : freemem();
  const within = (limit: string, used: string, statistics: string, files: RegExp): void => {
    // The first version of control groups writes a number beyond all memory where the second writes `max`.
    if (limit.trim() === "" || used.trim() === "" || !Number.isFinite(Number(limit))) return;
    free = Math.min(free, Number(limit) - Number(used) + Number(files.exec(statistics)?.[1] ?? 0));
  };
  const groups = text("proc/self/cgroup");
  for (let group = /^0::(.*)$/m.exec(groups)?.[1] ?? "/"; ; group = join(group, "..")) {
    const folder = join("sys/fs/cgroup", group);
    within(
      text(folder, "memory.max"),
      text(folder, "memory.current"),
      text(folder, "memory.stat"),
      /^inactive_file (\d+)$/m,
    );
    if (group === "/") break;
  }
  const first = "sys/fs/cgroup/memory";
  within(
    text(first, "memory.limit_in_bytes"),
    text(first, "memory.usage_in_bytes"),
    text(first, "memory.stat"),
    /^total_inactive_file (\d+)$/m,
  );
  return Math.max(0, free);
}

/** Bytes in words: `5.9 GiB`. */
export const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(bytes < 2 ** 30 ? 2 : 1)} GiB`;
