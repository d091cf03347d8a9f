import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "./errors.js";

/**
 * Keeps a folder for this process until the returned function is called. A lock that a dead process left is taken over.
 * @throws {UserError} where another process that is alive has it
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, "lock");
  mkdirSync(folder, { recursive: true });
  for (let attempt = 0; ; attempt++) {
    try {
      const file = openSync(path, "wx");
      writeSync(file, String(process.pid));
      closeSync(file);
      const release = (): void => {
        process.off("exit", release);
        rmSync(path, { force: true });
      };
      process.on("exit", release);
      return release;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw new UserError(`cannot write ${path}: ${(error as Error).message}`, { cause: error });
      const owner = Number(readFileSync(path, "utf8"));
      if (attempt > 3 || (isAlive(owner) && owner !== process.pid) || owner === process.pid) {
        throw new UserError(`${folder} is in use by another run (process ${owner})`, { hint: "Wait for it, stop it, or choose another folder with --out." });
      }
      rmSync(path, { force: true });
    }
  }
}

function isAlive(process_: number): boolean {
  if (!Number.isInteger(process_) || process_ <= 0) return false;
  try {
    process.kill(process_, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
