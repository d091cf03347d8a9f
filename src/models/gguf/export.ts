import { existsSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { UserError } from "../../base/errors.js";
import { forgetUnfinished } from "../../base/folders.js";
import { parseJson } from "../../base/json.js";
import { type Progress, silent } from "../../base/progress.js";
import { readText } from "../../base/text.js";
import { tokenizerMetadata, type WrittenKind, type WrittenValue, writeGguf } from "../../gguf/index.js";
import { loadTokenizer, readTokenizerConfig } from "../../tokens/index.js";
import { architectureOf } from "../architectures/index.js";
import { type DecoderConfig, parseDecoderConfig } from "../decoder/config.js";
import { isDecoderOnly } from "../decoder/decoder-only.js";
import type { DecoderDescription } from "../decoder/description.js";
import { isTied } from "../decoder/load.js";
import { storedNames } from "../decoder/stored-names.js";
import { decoderWeightShapes } from "../decoder/weight-shapes.js";
import { withEndTokens } from "../generation-config.js";
import { type Checkpoint, type OpenCheckpointOptions, openCheckpoint } from "../load.js";
import { adapterChanges, isAdapterFolder, openBase, readAdapterSettings } from "../lora/index.js";
import { modelMetadata, refuseInexpressible } from "./metadata.js";
import { tensorsToWrite } from "./tensors.js";

export interface ExportGgufOptions extends OpenCheckpointOptions {
  /** What matrices are stored as; vectors are F32. */
  readonly kind: WrittenKind;
  /** Hub id, folder or GGUF file of an adapter's base instead of the one that it names. */
  readonly base?: string;
  /** Whether a file that is there already is replaced. */
  readonly overwrite?: boolean;
  /** What the model is called; the source's last part unless given. */
  readonly name?: string;
  readonly progress?: Progress;
}

/** What was exported. */
export interface ExportedGguf {
  readonly architecture: string;
  readonly tensors: number;
  readonly hasChatTemplate: boolean;
}

/**
 * Writes a model as one GGUF file that llama.cpp, LM Studio and Ollama load: an adapter merged into its base, tokenizer
 * and chat template inside. Needs some megabytes of memory, and the adapter's matrices.
 * @param source a folder, hub id or GGUF file of a decoder-only model, or an adapter's folder
 * @throws {UserError} where the file is there already, or llama.cpp could not have the model or its tokenizer; nothing
 * is written then
 */
export async function exportGguf(source: string, out: string, options: ExportGgufOptions): Promise<ExportedGguf> {
  const { kind, overwrite = false, progress = silent } = options;
  if (existsSync(out) && !overwrite)
    throw new UserError(`${out} is there already`, {
      hint: "Give another name with --out, or --overwrite to replace it.",
    });
  if (existsSync(out) && !statSync(out).isFile())
    throw new UserError(`${out} is no file, and is not replaced`, { hint: "Give another name with --out." });
  forgetUnfinished(out);
  const settings = isAdapterFolder(source) ? await readAdapterSettings(source) : undefined;
  if (!settings && options.base !== undefined)
    throw new UserError(`${source} is no adapter: it has no base`, { hint: "Leave the base out." });
  const checkpoint = await (settings ? openBase(source, settings, options) : openCheckpoint(source, options));
  try {
    const description = descriptionOf(checkpoint);
    const parsed = parseDecoderConfig(checkpoint.config, description);
    const { weights } = checkpoint;
    const place = storedNames(weights, decoderWeightShapes(parsed).keys(), description);
    const config = { ...parsed, tieWordEmbeddings: await isTied(parsed, weights, place) };
    const shapes = decoderWeightShapes(config);
    for (const [name, shape] of shapes) weights.entry(place(name), shape);
    refuseInexpressible(checkpoint.config.path, config, description);
    const tokenizerFolder = settings && existsSync(join(source, "tokenizer.json")) ? source : checkpoint.folder;
    const tokenizer = await tokenizerOf(
      tokenizerFolder,
      config,
      withEndTokens(config, checkpoint.generationConfig).eosTokenIds,
    );
    const changes = settings ? await adapterChanges(source, settings, checkpoint) : new Map();
    const parameters = [...shapes.values()].reduce((sum, shape) => sum + shape.reduce((all, size) => all * size, 1), 0);
    const name = options.name ?? basename(resolve(source)).replace(/\.gguf$/i, "");
    const metadata = new Map([...modelMetadata(config, description, { name, parameters, kind }), ...tokenizer]);
    let written = 0;
    progress.begin(`writing ${basename(out)}`, shapes.size);
    const tensors = tensorsToWrite(config, description, kind, {
      weights,
      place,
      changes,
      done: (tensor) => progress.update(++written, tensor),
    });
    try {
      writeGguf(out, metadata, tensors);
    } finally {
      progress.end();
    }
    return {
      architecture: description.gguf.architecture,
      tensors: tensors.length,
      hasChatTemplate: metadata.has("tokenizer.chat_template"),
    };
  } finally {
    await checkpoint.close();
  }
}

function descriptionOf({ config, source }: Checkpoint): DecoderDescription {
  const architecture = architectureOf(config);
  if (isDecoderOnly(architecture)) return architecture;
  throw new UserError(`${source} is ${architecture.title}, which is not exported as GGUF`, {
    hint: "Decoder-only models are.",
  });
}

async function tokenizerOf(
  folder: string,
  config: DecoderConfig,
  ends: readonly number[],
): Promise<Map<string, WrittenValue>> {
  const path = join(folder, "tokenizer.json");
  if (!existsSync(path))
    throw new UserError(`${folder} has no tokenizer.json: a GGUF file has its tokenizer inside`, {
      hint: "In Python, AutoTokenizer.from_pretrained(...).save_pretrained(folder) writes it.",
    });
  const tokenizer = await loadTokenizer({ source: folder });
  const { chatTemplate, beginToken, endToken, padToken } = await readTokenizerConfig(folder);
  const idOf = (token: string | undefined): number | undefined => (token ? tokenizer.tokenId(token) : undefined);
  const begin = idOf(beginToken) ?? config.bosTokenId ?? undefined;
  const end = idOf(endToken) ?? ends[0];
  const [bare, around] = [await tokenizer.encode("a", false), await tokenizer.encode("a", true)];
  const at = around.findIndex((_, i) => bare.every((id, j) => around[i + j] === id));
  const [before, after] = [around.slice(0, Math.max(at, 0)), around.slice(at + bare.length)];
  const is = (found: readonly number[], id: number | undefined): boolean =>
    found.length === 0 || (found.length === 1 && found[0] === id);
  if (at < 0 || !is(before, before[0]) || !is(after, end))
    throw new UserError(`${path} puts other tokens around a text than one that opens and one that closes it`, {
      hint: "GGUF has no place for that.",
    });
  return tokenizerMetadata({
    path,
    json: parseJson(await readText(path), path),
    vocabularySize: config.vocabSize,
    begin: before[0] ?? begin,
    end,
    turnEnd: ends.find((id) => id !== end),
    padding: idOf(padToken),
    adds: { begin: before.length === 1, end: after.length === 1 },
    chatTemplate,
  });
}
