import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

export interface CommandOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Where it runs; the repository unless given. */
  readonly folder?: string;
  /** Told the process as it starts, to signal it. */
  readonly started?: (child: ChildProcess) => void;
}

/** Runs the command `mmmlu` as built (`npm test` builds it first) in a process of its own. */
export function mmmlu(
  given: readonly string[],
  { environment = {}, folder = root, started }: CommandOptions = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(new URL("../dist/cli/main.js", import.meta.url)), ...given], {
      cwd: folder,
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [out, error] = ["", ""];
    child.stdout.on("data", (piece: Buffer) => (out += piece.toString()));
    child.stderr.on("data", (piece: Buffer) => (error += piece.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, error }));
    started?.(child);
  });
}
