import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Finished } from "../command.js";

/** Runs a script beside this file in a process of its own. */
export const nodeScript = (
  name: string,
  given: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Finished> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, name), ...given], {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [out, error] = ["", ""];
    child.stdout.on("data", (piece: Buffer) => (out += piece.toString()));
    child.stderr.on("data", (piece: Buffer) => (error += piece.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, error }));
  });
