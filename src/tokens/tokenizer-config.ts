import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readJsonAs } from "../base/json.js";
import { readText } from "../base/text.js";
import type { TokenizerSettings } from "./tokenizer.js";

/** Bytes that a template has at most. */
const LONGEST_TEMPLATE = 4 << 20;

const tokenName = z.union([z.string(), z.looseObject({ content: z.string().optional() })]).nullish();
type TokenName = z.infer<typeof tokenName>;

/** The keys of `tokenizer_config.json` that are looked at here: a template is one, or several with names. */
const schema = z.looseObject({
  chat_template: z
    .union([z.string(), z.array(z.looseObject({ name: z.string(), template: z.string() })).max(100)])
    .nullish(),
  bos_token: tokenName,
  eos_token: tokenName,
  pad_token: tokenName,
  clean_up_tokenization_spaces: z.boolean().nullish(),
});

/** What a model's folder says of its tokenizer beside tokenizer.json. */
export interface TokenizerConfig {
  /** `chat_template.jinja`, or the key in `tokenizer_config.json`; of several templates the one named `default`. */
  readonly chatTemplate?: string;
  /** Names of tokens, such as `<bos>`. */
  readonly beginToken?: string;
  readonly endToken?: string;
  readonly padToken?: string;
}

/**
 * How texts are opened and closed, and decoded.
 * @param path of a `tokenizer_config.json`
 * @throws {UserError} where it is not as it should be
 */
export async function readTokenizerSettings(path: string): Promise<TokenizerSettings> {
  const { bos_token, eos_token, clean_up_tokenization_spaces } = await readJsonAs(path, schema);
  return {
    bosToken: contentOf(bos_token),
    eosToken: contentOf(eos_token),
    cleanUpSpaces: clean_up_tokenization_spaces ?? false,
  };
}

/** Reads it. @throws {UserError} where `tokenizer_config.json` is not as it should be, or the template is too long */
export async function readTokenizerConfig(folder: string): Promise<TokenizerConfig> {
  const path = join(folder, "tokenizer_config.json");
  const config = existsSync(path) ? await readJsonAs(path, schema) : undefined;
  const file = join(folder, "chat_template.jinja");
  return {
    chatTemplate: existsSync(file) ? await readChatTemplate(file) : templateOf(config?.chat_template),
    beginToken: contentOf(config?.bos_token),
    endToken: contentOf(config?.eos_token),
    padToken: contentOf(config?.pad_token),
  };
}

/** A chat template's text, of a file. @throws {UserError} where it cannot be read, or is too long */
export const readChatTemplate = (path: string): Promise<string> => readText(path, LONGEST_TEMPLATE);

const contentOf = (token: TokenName): string | undefined => (typeof token === "string" ? token : token?.content);

/** One template, or the one named `default` of several. */
function templateOf(value: z.infer<typeof schema>["chat_template"]): string | undefined {
  if (typeof value === "string") return value;
  return value?.find(({ name }) => name === "default")?.template;
}
