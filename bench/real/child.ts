import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

export interface Measured {
  readonly code: number | null;
  /** What it wrote to its output, where that was asked for. */
  readonly out: string;
  readonly seconds: number;
  /** The most that it held in memory, as Linux tells it; undefined elsewhere. */
  readonly peakBytes: number | undefined;
}

/** Runs a program to its end and measures it; unless its output is kept it goes where ours does. */
export function measured(program: string, given: readonly string[], keep = false): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(program, given, { stdio: ["ignore", keep ? "pipe" : "inherit", "inherit"] });
    let [out, peak] = ["", 0];
    child.stdout?.on("data", (piece: Buffer) => (out += piece.toString()));
    const look = (): void => {
      const path = `/proc/${child.pid}/status`;
      const told = existsSync(path) ? /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(path, "utf8")) : undefined;
      if (told) peak = Math.max(peak, Number(told[1]) * 1024);
    };
    const watch = setInterval(look, 200);
    child.on("error", reject);
    child.on("close", (code) => {
      clearInterval(watch);
      resolve({ code, out, seconds: (performance.now() - began) / 1000, peakBytes: peak || undefined });
    });
  });
}

export const gibibytes = (bytes: number | undefined): string =>
  bytes === undefined ? "not told here" : `${(bytes / 2 ** 30).toFixed(2)} GiB`;
