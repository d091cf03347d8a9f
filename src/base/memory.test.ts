import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { memoryFree } from "./memory.js";

describe("memory", () => {
  it("counts as free what the limits of all control groups leave, files in memory included", () => {
    const root = mkdtempSync(join(tmpdir(), "memory-"));
    const write = (path: string, text: string): void => {
      mkdirSync(join(root, path, ".."), { recursive: true });
      writeFileSync(join(root, path), text);
    };
    write("proc/meminfo", "MemTotal: 16000 kB\nMemAvailable:    9000 kB\n");
    expect(memoryFree(root)).toBe(9000 * 1024);
    write("proc/self/cgroup", "0::/user/service\n");
    write("sys/fs/cgroup/user/service/memory.max", "max\n");
    write("sys/fs/cgroup/user/service/memory.current", "1000\n");
    expect(memoryFree(root)).toBe(9000 * 1024);
    write("sys/fs/cgroup/user/memory.max", "8000\n");
    write("sys/fs/cgroup/user/memory.current", "7000\n");
    write("sys/fs/cgroup/user/memory.stat", "active_file 900\ninactive_file 2500\n");
    expect(memoryFree(root)).toBe(3500);
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "3000\n");
    write("sys/fs/cgroup/memory/memory.usage_in_bytes", "2900\n");
    expect(memoryFree(root)).toBe(100);
    rmSync(root, { recursive: true });
  });
});
