import { fileURLToPath } from "node:url";
import { gibibytes, measured } from "./child.js";

/** Runs a command of mmmlu as it was built, and tells its seconds and its peak memory behind what it says itself. */
export async function bench(given: string[]): Promise<void> {
  const command = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
  const { code, seconds, peakBytes } = await measured(process.execPath, [command, ...given]);
  console.log(`measured: ${seconds.toFixed(1)} s in all, peak memory ${gibibytes(peakBytes)}`);
  process.exitCode = code ?? 1;
}
