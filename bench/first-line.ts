/*
 * Time from a command to its first line of output, each in a process of its own, in turn.
 *
 *   npm run bench -- first-line --python PYTHON --lm-eval PYTHON --inspect PYTHON
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inTurn, median } from "./table.js";

const MMMLU = [process.execPath, fileURLToPath(new URL("../dist/cli/main.js", import.meta.url))];

/** Each side of a comparison as the words of its command. */
export type Sides = Readonly<Record<string, readonly string[]>>;

/** Milliseconds to the first line of output or of messages, the middle of three after one that is not counted. */
export async function firstLines(sides: Sides): Promise<Readonly<Record<string, number>>> {
  const folder = mkdtempSync(join(tmpdir(), "mmmlu-first-"));
  try {
    const runs = await inTurn(
      4,
      Object.fromEntries(Object.entries(sides).map(([name, words]) => [name, () => firstLine(words, folder)])),
    );
    return Object.fromEntries(Object.entries(runs).map(([name, all]) => [name, median(all.slice(1))]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @throws where the command ends without a line */
function firstLine([program, ...given]: readonly string[], folder: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(program!, given, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    let milliseconds: number | undefined;
    const told = (piece: Buffer): void => {
      if (milliseconds !== undefined || !piece.includes("\n")) return;
      milliseconds = performance.now() - began;
      child.kill();
    };
    child.stdout.on("data", told);
    child.stderr.on("data", told);
    child.on("error", reject);
    child.on("close", () => {
      if (milliseconds === undefined) reject(new Error(`${[program, ...given].join(" ")} printed no line`));
      else resolve(milliseconds);
    });
  });
}

export const mmmlu = (...given: readonly string[]): readonly string[] => [...MMMLU, ...given];
