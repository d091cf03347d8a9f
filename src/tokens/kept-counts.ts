import { createHash } from "node:crypto";
import { existsSync, readdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { cacheFolder } from "../base/environment.js";
import { sha256, writeWhole } from "../base/files.js";
import { readJsonAs } from "../base/json.js";
import { installedVersion } from "../base/versions.js";
import { countTokens } from "./fast-count.js";
import type { TokenizerFiles } from "./load-tokenizer.js";

/** Changes when counts of the same texts by the same tokenizer would be others. */
const FORMAT = 1;

/** Sets of counts that are kept; the one that was not asked for the longest goes first. */
const KEPT = 64;

/** Bytes of a file of counts at most: of ten million texts, four bytes each, in base64. */
const LARGEST = 64 << 20;

const fileSchema = z.object({
  format: z.literal(FORMAT),
  vocabularySize: z.number().int().positive(),
  /** Whole numbers of 32 bits, the lowest byte first. */
  counts: z.base64(),
});

/** Numbers of tokens, and what is to be told of the tokenizer that they are by. */
export interface KeptCounts {
  readonly counts: Int32Array;
  readonly vocabularySize: number;
  /** Whether they were counted before: the tokenizer was not loaded. */
  readonly kept: boolean;
}

/** Texts that are made as they are asked for. */
export interface Texts {
  readonly length: number;
  at(index: number): string;
}

export interface KeptCountOptions {
  /** Whether the tokenizer's own special tokens count. */
  readonly specialTokens: boolean;
  /** Told how many are done, while they are counted. */
  readonly told?: (done: number) => void;
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * Numbers of tokens of texts: those that were counted before by the same tokenizer, else counted now and kept in the
 * user's cache, by hashes of the texts, of the tokenizer's files and by the library's version. What is damaged there is
 * counted anew; where nothing can be kept there, nothing is.
 */
export async function keptTokenCounts(
  tokenizer: TokenizerFiles,
  texts: Texts,
  { specialTokens, told, environment }: KeptCountOptions,
): Promise<KeptCounts> {
  const library = installedVersion("tokenizers") ?? "";
  const key = sha256(JSON.stringify([FORMAT, library, await tokenizer.sha256(), specialTokens, hashOfTexts(texts)]));
  const folder = cacheFolder("token-counts", environment);
  const path = join(folder, `${key.slice(0, 32)}.json`);
  const before = await readCounts(path, texts.length);
  if (before) return before;
  const loaded = await tokenizer.load();
  const all = Array.from({ length: texts.length }, (_, index) => texts.at(index));
  const counts = specialTokens ? await loaded.count(all, true, told) : await countTokens(loaded, all, told);
  const { vocabularySize } = loaded;
  keep(folder, path, { format: FORMAT, vocabularySize, counts: base64Of(counts) });
  return { counts, vocabularySize, kept: false };
}

function hashOfTexts(texts: Texts): string {
  const running = createHash("sha256");
  for (let index = 0; index < texts.length; index++) {
    const text = texts.at(index);
    running.update(`${text.length}:${text}`, "utf8");
  }
  return running.digest("hex");
}

async function readCounts(path: string, length: number): Promise<KeptCounts | undefined> {
  if (!existsSync(path)) return undefined;
  try {
    const { counts, vocabularySize } = await readJsonAs(path, fileSchema, { most: LARGEST });
    const bytes = Buffer.from(counts, "base64");
    if (bytes.length !== 4 * length) return undefined;
    const now = new Date();
    utimesSync(path, now, now);
    return {
      counts: Int32Array.from({ length }, (_, index) => bytes.readInt32LE(4 * index)),
      vocabularySize,
      kept: true,
    };
  } catch {
    return undefined;
  }
}

function base64Of(counts: Int32Array): string {
  const bytes = Buffer.alloc(4 * counts.length);
  counts.forEach((count, index) => bytes.writeInt32LE(count, 4 * index));
  return bytes.toString("base64");
}

/** A cache that cannot be written must not end a run. */
function keep(folder: string, path: string, content: z.infer<typeof fileSchema>): void {
  try {
    writeWhole(path, `${JSON.stringify(content)}\n`);
    const files = readdirSync(folder)
      .map((name) => join(folder, name))
      .filter((file) => file.endsWith(".json"));
    if (files.length <= KEPT) return;
    const byAge = files.map((file) => ({ file, used: statSync(file).mtimeMs })).sort((a, b) => b.used - a.used);
    for (const { file } of byAge.slice(KEPT)) rmSync(file, { force: true });
  } catch {}
}
