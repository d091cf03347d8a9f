import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { messageOf, UserError } from "../base/errors.js";
import { sha256 } from "../base/files.js";
import { checkedAs, parseJson, readJsonAs } from "../base/json.js";
import { printableName } from "../base/printable.js";
import type { Progress } from "../base/progress.js";
import { readPieces, readText, withoutMark } from "../base/text.js";
import {
  downloadFile,
  downloadFileIfThere,
  hubSettings,
  isRepositoryName,
  listRepository,
  type Repository,
  resolveCommit,
} from "../data/index.js";
import { fetchGguf, isGguf, tokenizerFolderOf } from "../gguf/index.js";
import { faultOfParts } from "./native-parts.js";
import { Tokenizer, type TokenizerDefinition } from "./tokenizer.js";
import { readTokenizerSettings } from "./tokenizer-config.js";

/** The parts of `tokenizer.json` that are looked at here; the library checks all of it. */
const definitionSchema: z.ZodType<TokenizerDefinition> = z.looseObject({
  added_tokens: z
    .array(
      z.looseObject({
        id: z.int().nonnegative(),
        content: z.string(),
        special: z.boolean(),
        single_word: z.boolean().optional(),
        lstrip: z.boolean().optional(),
        rstrip: z.boolean().optional(),
        normalized: z.boolean().optional(),
      }),
    )
    .optional(),
  normalizer: z.unknown().optional(),
  post_processor: z.unknown().optional(),
  pre_tokenizer: z
    .looseObject({
      type: z.string().optional(),
      add_prefix_space: z.boolean().optional(),
      use_regex: z.boolean().optional(),
    })
    .nullish(),
  decoder: z
    .looseObject({
      type: z.string().optional(),
      decoders: z.array(z.looseObject({ type: z.string().optional() })).optional(),
    })
    .nullish(),
  model: z
    .looseObject({
      type: z.string().optional(),
      unk_token: z.string().nullish(),
      unk_id: z.int().nonnegative().nullish(),
      byte_fallback: z.boolean().optional(),
      ignore_merges: z.boolean().optional(),
      dropout: z.number().nullish(),
      // Unigram's is a list; the library checks what is in it.
      vocab: z
        .custom<object>((value) => value === undefined || (typeof value === "object" && value !== null))
        .optional(),
    })
    .optional(),
});

export interface TokenizerOptions {
  /** A folder, a hub id, or a GGUF file here or on the hub. */
  readonly source: string;
  /** What it is called in reports and errors instead of its source. */
  readonly name?: string;
  /** A commit, branch or tag of the hub's repository. */
  readonly revision?: string | null;
  readonly offline?: boolean;
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
  readonly environment?: NodeJS.ProcessEnv;
}

/** A tokenizer whose files are there, not yet loaded. */
export interface TokenizerFiles {
  readonly source: string;
  /** The hub's commit. */
  readonly revision?: string;
  /** The folder of its files: `tokenizer_config.json` and a chat template lie there too, where it has them. */
  readonly folder: string;
  /** Of the file or files that define it; reads them as a stream, once. */
  sha256(): Promise<string>;
  /** Loads it, once. @throws {UserError} where it cannot be read */
  load(): Promise<LoadedTokenizer>;
}

export type LoadedTokenizer = Tokenizer & { readonly revision?: string };

/**
 * Loads a tokenizer: from `tokenizer.json`, or from `vocab.json` and `merges.txt` as the byte-level BPE that RoBERTa
 * has.
 * @throws {UserError} where there is none, or it cannot be read
 */
export const loadTokenizer = async (options: TokenizerOptions): Promise<LoadedTokenizer> =>
  (await findTokenizer(options)).load();

/**
 * Finds a tokenizer's files and fetches those of the hub; loads nothing.
 * @throws {UserError} where there is none
 */
export async function findTokenizer(options: TokenizerOptions): Promise<TokenizerFiles> {
  const { source } = options;
  if (isGguf(source)) {
    const { revision, offline, environment, progress, signal } = options;
    const hub = hubSettings({ offline, environment, progress, signal });
    const { path, commit } = await fetchGguf(source, { revision, hub });
    const folder = tokenizerFolderOf(path, environment);
    return filesOf(options.name ?? source, (name) => join(folder, name), commit);
  }
  if (existsSync(source) && statSync(source).isDirectory())
    return filesOf(options.name ?? source, (name) => (existsSync(join(source, name)) ? join(source, name) : undefined));
  if (!isRepositoryName(source))
    throw new UserError(`there is no folder ${source}`, {
      hint: "Give a tokenizer's folder, or a hub id such as google/flan-t5-base.",
    });
  const settings = hubSettings({
    offline: options.offline,
    environment: options.environment,
    progress: options.progress,
    signal: options.signal,
  });
  const repository: Repository = { name: source, type: "model" };
  const revision = await resolveCommit(repository, options.revision, settings);
  const whole = await downloadFileIfThere(repository, revision, "tokenizer.json", settings);
  if (whole) {
    const config = await downloadFileIfThere(repository, revision, "tokenizer_config.json", settings);
    const found: Record<string, string | undefined> = { "tokenizer.json": whole, "tokenizer_config.json": config };
    return filesOf(source, (name) => found[name], revision);
  }
  const vocabulary = await downloadFileIfThere(repository, revision, "vocab.json", settings);
  if (!vocabulary) {
    if (settings.offline) await downloadFile(repository, revision, "tokenizer.json", settings);
    const names = new Set(await listRepository(repository, revision, settings));
    throw noTokenizer(source, (name) => names.has(name));
  }
  const merges = await downloadFile(repository, revision, "merges.txt", settings);
  const found: Record<string, string | undefined> = { "vocab.json": vocabulary, "merges.txt": merges };
  return filesOf(source, (name) => found[name], revision);
}

/** @throws {UserError} where none of the files that define a tokenizer is there */
function filesOf(source: string, find: (name: string) => string | undefined, revision?: string): TokenizerFiles {
  const whole = find("tokenizer.json");
  const defining = whole ? [whole] : [find("vocab.json"), find("merges.txt")].filter((path) => path !== undefined);
  if (!whole && defining.length < 2) throw noTokenizer(source, (name) => find(name) !== undefined);
  let [hash, loaded]: [Promise<string>?, Promise<LoadedTokenizer>?] = [];
  const load = async (): Promise<LoadedTokenizer> => {
    const tokenizer = whole
      ? await fromDefinition(source, whole, find("tokenizer_config.json"))
      : await byteLevelBpe(source, defining[0]!, defining[1]!);
    return Object.assign(tokenizer, { revision });
  };
  return {
    source,
    revision,
    folder: dirname(defining[0]!),
    sha256: () => (hash ??= sha256OfTexts(defining)),
    load: () => (loaded ??= load()),
  };
}

/** SHA-256 of the texts of files, one behind the other, as {@link readText} gives them. */
async function sha256OfTexts(paths: readonly string[]): Promise<string> {
  const running = createHash("sha256");
  for (const path of paths) {
    let first = true;
    for await (const piece of readPieces(path)) {
      running.update(first ? withoutMark(piece) : piece, "utf8");
      first = false;
    }
  }
  return running.digest("hex");
}

async function fromDefinition(source: string, path: string, config: string | undefined): Promise<Tokenizer> {
  const text = await readText(path);
  const definition = checkedAs(parseJson(text, path), definitionSchema, path);
  const settings = config === undefined ? {} : await readTokenizerSettings(config);
  const fault = faultOfParts(definition);
  if (fault) throw notReadable(path, fault);
  const { Tokenizer: NativeTokenizer } = await import("tokenizers");
  try {
    return new Tokenizer(NativeTokenizer.fromString(text), source, sha256(text), definition, settings);
  } catch (error) {
    throw notReadable(path, printableName(messageOf(error), 500), error);
  }
}

const notReadable = (path: string, fault: string, cause?: unknown): UserError =>
  new UserError(`${path} is not a tokenizer that can be read: ${fault}`, {
    hint: "Download or copy it again; it is to be a tokenizer.json as the tokenizers library writes it.",
    cause,
  });

/** The error of a folder or repository without a tokenizer that can be read. */
function noTokenizer(source: string, has: (name: string) => boolean): UserError {
  const hint =
    has("spiece.model") || has("tokenizer.model")
      ? "It has a SentencePiece model alone: in Python, AutoTokenizer.from_pretrained(...).save_pretrained(...) " +
        "writes its tokenizer.json."
      : "A tokenizer is a tokenizer.json, or vocab.json with merges.txt.";
  return new UserError(`${source} has no tokenizer.json`, { hint });
}

async function byteLevelBpe(source: string, vocabulary: string, merges: string): Promise<Tokenizer> {
  const {
    AddedToken,
    BPE,
    byteLevelPreTokenizer,
    robertaProcessing,
    Tokenizer: NativeTokenizer,
  } = await import("tokenizers");
  const native = new NativeTokenizer(await BPE.fromFile(vocabulary, merges));
  native.setPreTokenizer(byteLevelPreTokenizer(false, true));
  const ids = await readJsonAs(vocabulary, z.record(z.string(), z.int().nonnegative()));
  const special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"].filter((token) => token in ids);
  native.addAddedTokens(special.map((token) => new AddedToken(token, true, { normalized: false })));
  const [begin, end] = [ids["<s>"], ids["</s>"]];
  if (begin !== undefined && end !== undefined)
    native.setPostProcessor(robertaProcessing(["</s>", end], ["<s>", begin], true, false));
  const definition = {
    added_tokens: special.map((content) => ({ id: ids[content] as number, content, special: true })),
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false },
    normalizer: null,
    model: { type: "BPE" },
  };
  return new Tokenizer(native, source, sha256((await readText(vocabulary)) + (await readText(merges))), definition);
}
