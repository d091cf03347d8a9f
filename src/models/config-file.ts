import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../base/errors.js";
import { checkedAs, parseJson } from "../base/json.js";
import { inWords } from "../base/schema-words.js";
import { readText } from "../base/text.js";

/** Bytes of a config.json at most. */
const LONGEST = 16 << 20;

/** A checkpoint's `config.json`: its architecture, and everything in it. */
export interface ConfigFile {
  readonly path: string;
  /** `model_type`: what the registry of architectures goes by; undefined where it is none. */
  readonly modelType: string | undefined;
  readonly json: Readonly<Record<string, unknown>>;
  /** Keys whose number is written as a float (`1.0`); see `configText`. */
  readonly floatKeys: ReadonlySet<string>;
}

/**
 * Reads a model folder's config.json.
 * @throws {UserError} where it is missing or not JSON
 */
export async function readConfigFile(folder: string): Promise<ConfigFile> {
  const path = join(folder, "config.json");
  if (!existsSync(path))
    throw new UserError(`${folder} has no config.json`, {
      hint: existsSync(join(folder, "adapter_config.json"))
        ? "It is an adapter: merge it into its base first (mmmlu merge), or serve both together (mmmlu serve)."
        : "Is it a model's folder, as Hugging Face's save_pretrained writes it?",
    });
  const text = await readText(path, LONGEST);
  const hint = "Download or copy it again.";
  const json = checkedAs(
    parseJson(text, path, hint),
    z.record(z.string(), z.unknown(), "is not a JSON object"),
    path,
    hint,
  );
  const modelType = json["model_type"];
  return { path, modelType: typeof modelType === "string" ? modelType : undefined, json, floatKeys: floatKeysOf(text) };
}

/** Keys of a JSON text whose number has a point or an exponent. */
function floatKeysOf(text: string): Set<string> {
  const keys = new Set<string>();
  // Each match takes a whole string, a key or not, so that none is looked at twice.
  for (const [, key, number] of text.matchAll(/"((?:[^"\\]|\\.)*)"?(?:\s*:\s*(-?\d[\d.eE+-]*))?/g))
    if (number !== undefined && /[.eE]/.test(number)) keys.add(key!);
  return keys;
}

/**
 * A config.json's text. transformers refuses `1` where it expects a float, and JavaScript writes 1.0 so: the numbers
 * under `floatKeys` get their point back.
 */
export function configText(
  json: Readonly<Record<string, unknown>>,
  floatKeys: ReadonlySet<string> = new Set(),
): string {
  const text = JSON.stringify(json, null, 2);
  const withFloats = text.replace(
    /^( *"((?:[^"\\]|\\.)*)": -?\d+)(,?)$/gm,
    (line, number: string, key: string, comma: string) => (floatKeys.has(key) ? `${number}.0${comma}` : line),
  );
  return `${withFloats}\n`;
}

const whole = z.number().int();

/**
 * Sizes in config.json, each with a bound beyond any model that there is: what a file from outside says is looped over
 * and multiplied before its weights are seen. An architecture's schema takes its sizes from here, and bounds what it
 * adds.
 */
export const SIZES = {
  vocabulary: whole.positive().max(2 ** 24),
  /** Of a state, a layer's inside, all heads together. */
  width: whole.positive().max(2 ** 20),
  headWidth: whole.positive().max(2 ** 14),
  layers: whole.positive().max(1024),
  heads: whole.positive().max(4096),
  /** Of a sequence, a window. */
  positions: whole.positive().max(2 ** 31 - 1),
  tokenId: whole.nonnegative().max(2 ** 31 - 1),
} as const;

/** `eos_token_id`: one, or some. */
export const endTokenIds = z.union([SIZES.tokenId, z.array(SIZES.tokenId).max(64)]);

/**
 * Checks config.json against a schema.
 * @param title what the architecture is called
 * @throws {UserError} naming the file and each key that is wrong
 */
export function parseConfig<T>(file: Pick<ConfigFile, "path" | "json">, schema: z.ZodType<T>, title: string): T {
  const result = schema.safeParse(file.json, { error: inWords });
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join(".") || "(whole)"}: ${issue.message}`);
  throw new UserError(`${file.path} is no configuration of ${title}: ${problems.join("; ")}`, {
    hint: "Copy config.json anew from where the model comes from.",
  });
}
