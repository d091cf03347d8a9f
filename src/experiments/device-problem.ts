import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { DeviceName } from "../graph/index.js";

/** Why a device does not open, and what to do. */
export interface DeviceProblem {
  readonly message: string;
  readonly hint?: string;
}

const answerSchema = z.object({ message: z.string().optional(), hint: z.string().optional() });

/** Starting a process on a busy machine, and a driver. */
const LONGEST_MILLISECONDS = 120_000;

/**
 * Tries whether a device opens, in a process of its own: drivers die, and write on standard error what they like.
 * Nothing is thrown.
 * @returns undefined where it does
 */
export function problemOf(name: DeviceName): Promise<DeviceProblem | undefined> {
  const built = fileURLToPath(new URL("./try-device.js", import.meta.url));
  const words = existsSync(built) ? [built] : ["--import", "tsx", built.replace(/\.js$/, ".ts")];
  const limits = { timeout: LONGEST_MILLISECONDS, maxBuffer: 1 << 20 };
  return new Promise((resolve) => {
    execFile(process.execPath, [...words, name], limits, (error, stdout, stderr) => {
      try {
        const { message, hint } = answerSchema.parse(JSON.parse(stdout.slice(stdout.lastIndexOf("\n"))));
        // Dawn tells only there that the loader itself is missing.
        const loader = /Couldn't load Vulkan: ([\w.+-]+)/.exec(stderr)?.[1];
        resolve(message === undefined ? undefined : { message: loader ? `${message} (no ${loader})` : message, hint });
      } catch {
        const ended = error?.signal ?? (error ? `code ${error.code}` : "no word");
        resolve({
          message: `its driver ended the process that tried it (${ended})`,
          hint: "Try again; where it ends again, update or remove the driver, or use the device cpu.",
        });
      }
    });
  });
}
