import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { AddedToken, BPE, byteLevelPreTokenizer, Tokenizer as NativeTokenizer, robertaProcessing } from "tokenizers";
import { z } from "zod";
import { messageOf, UserError } from "../base/errors.js";
import { sha256 } from "../base/files.js";
import { checkedAs, parseJson, readJsonAs } from "../base/json.js";
import type { Progress } from "../base/progress.js";
import { readText } from "../base/text.js";
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
import { Tokenizer, type TokenizerDefinition } from "./tokenizer.js";
import { readTokenNames } from "./tokenizer-config.js";

/** The parts of `tokenizer.json` that are looked at here; the library checks all of it. */
const definitionSchema: z.ZodType<TokenizerDefinition> = z.looseObject({
  added_tokens: z
    .array(z.looseObject({ id: z.int().nonnegative(), content: z.string(), special: z.boolean() }))
    .optional(),
  normalizer: z.unknown().optional(),
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

/**
 * Loads a tokenizer: from `tokenizer.json`, or from `vocab.json` and `merges.txt` as the byte-level BPE that RoBERTa
 * has.
 * @throws {UserError} where there is none, or it cannot be read
 */
export async function loadTokenizer(options: TokenizerOptions): Promise<Tokenizer & { readonly revision?: string }> {
  const { source } = options;
  if (isGguf(source)) {
    const { revision, offline, environment, progress, signal } = options;
    const hub = hubSettings({ offline, environment, progress, signal });
    const { path, commit } = await fetchGguf(source, { revision, hub });
    const folder = tokenizerFolderOf(path, environment);
    return Object.assign(await loadFrom(options.name ?? source, (name) => join(folder, name)), { revision: commit });
  }
  if (existsSync(source) && statSync(source).isDirectory())
    return loadFrom(options.name ?? source, (name) =>
      existsSync(join(source, name)) ? join(source, name) : undefined,
    );
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
  const config = whole && (await downloadFileIfThere(repository, revision, "tokenizer_config.json", settings));
  const tokenizer = whole
    ? await loadFrom(source, (name) => ({ "tokenizer.json": whole, "tokenizer_config.json": config })[name])
    : await (async () => {
        const vocabulary = await downloadFileIfThere(repository, revision, "vocab.json", settings);
        if (!vocabulary) {
          if (settings.offline) await downloadFile(repository, revision, "tokenizer.json", settings);
          const names = new Set(await listRepository(repository, revision, settings));
          throw noTokenizer(source, (name) => names.has(name));
        }
        const merges = await downloadFile(repository, revision, "merges.txt", settings);
        return loadFrom(source, (name) => ({ "vocab.json": vocabulary, "merges.txt": merges })[name]);
      })();
  return Object.assign(tokenizer, { revision });
}

async function loadFrom(source: string, find: (name: string) => string | undefined): Promise<Tokenizer> {
  const whole = find("tokenizer.json");
  if (whole) {
    const text = await readText(whole);
    const definition = checkedAs(parseJson(text, whole), definitionSchema, whole);
    const named = find("tokenizer_config.json");
    const names = named === undefined ? {} : await readTokenNames(named);
    try {
      return new Tokenizer(NativeTokenizer.fromString(text), source, sha256(text), definition, names);
    } catch (error) {
      throw new UserError(`${whole} is not a tokenizer that can be read: ${messageOf(error)}`, {
        hint: "Download or copy it again; it is to be a tokenizer.json as the tokenizers library writes it.",
        cause: error,
      });
    }
  }
  const [vocabulary, merges] = [find("vocab.json"), find("merges.txt")];
  if (vocabulary && merges) return byteLevelBpe(source, vocabulary, merges);
  throw noTokenizer(source, (name) => find(name) !== undefined);
}

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
