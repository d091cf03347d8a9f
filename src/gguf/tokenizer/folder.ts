import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheFolder } from "../../base/environment.js";
import { messageOf, UserError } from "../../base/errors.js";
import { isSystemError, sha256 } from "../../base/files.js";
import { GgufFile } from "../file.js";
import type { MetadataReader } from "../metadata.js";
import { readTokenizer } from "./read.js";

/** Changes when {@link readTokenizer} gives something else for the same file. */
const FORMAT = 2;

/**
 * A folder in the user's cache with a GGUF file's tokenizer as Hugging Face's files have it: `tokenizer.json` and
 * `tokenizer_config.json`, made when they are first asked for. Files with the same tokenizer share one.
 * @throws {UserError} where the tokenizer cannot be read, or the cache cannot be written
 */
export function tokenizerFolder(metadata: MetadataReader, environment: NodeJS.ProcessEnv = process.env): string {
  const folder = join(cacheFolder("gguf-tokenizers", environment), identityOf(metadata));
  if (existsSync(folder)) return folder;
  const { tokenizer, config } = readTokenizer(metadata);
  let fresh: string | undefined;
  try {
    mkdirSync(dirname(folder), { recursive: true });
    fresh = mkdtempSync(`${folder}.`);
    writeFileSync(join(fresh, "tokenizer.json"), `${JSON.stringify(tokenizer)}\n`);
    writeFileSync(join(fresh, "tokenizer_config.json"), `${JSON.stringify(config, null, 2)}\n`);
    renameSync(fresh, folder);
  } catch (error) {
    if (fresh) rmSync(fresh, { recursive: true, force: true });
    // Another process was faster.
    if (existsSync(folder)) return folder;
    if (!isSystemError(error)) throw error;
    throw new UserError(`cannot write ${folder}: ${messageOf(error)}`, {
      hint: "Look after the disk and whether you may write there, or set XDG_CACHE_HOME to another folder.",
      cause: error,
    });
  }
  return folder;
}

/** As {@link tokenizerFolder}, of a file. */
export function tokenizerFolderOf(path: string, environment?: NodeJS.ProcessEnv): string {
  const file = GgufFile.open(path);
  try {
    return tokenizerFolder(file.metadata, environment);
  } finally {
    file.close();
  }
}

function identityOf(metadata: MetadataReader): string {
  const values = metadata.keys.filter((key) => key.startsWith("tokenizer.")).map((key) => [key, metadata.plain(key)]);
  return sha256(JSON.stringify([FORMAT, values])).slice(0, 32);
}
