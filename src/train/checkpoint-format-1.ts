import { existsSync } from "node:fs";
import { join } from "node:path";
import { hashOf } from "../base/canonical.js";
import { sha256OfFile } from "../base/files.js";

/**
 * The state of a checkpoint of version 0.1 as today's: it kept no hashes, so those of the files as they are take their
 * place.
 * @param state what `state.json` holds; any other than format 1 is given back as it is
 * @param path the checkpoint's folder
 * @param files names of the files that it consists of
 * @param best path of the best epoch's weights
 */
export async function fromFormat1(
  state: unknown,
  path: string,
  files: readonly string[],
  best: string,
): Promise<unknown> {
  if (state === null || typeof state !== "object" || "sha256" in state) return state;
  if ((state as { format?: unknown }).format !== 1) return state;
  const hashes: Record<string, string> = {};
  for (const name of files) if (existsSync(join(path, name))) hashes[name] = await sha256OfFile(join(path, name));
  const upgraded = {
    ...state,
    format: 2,
    bestSha256: existsSync(best) ? await sha256OfFile(best) : null,
    files: hashes,
  };
  return { ...upgraded, sha256: hashOf(upgraded) };
}
