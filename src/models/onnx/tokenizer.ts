import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { messageOf, UserError } from "../../base/errors.js";
import { parseJson, readJsonAs } from "../../base/json.js";
import { readText } from "../../base/text.js";
import { loadTokenizer, readTokenizerConfig } from "../../tokens/index.js";

/** Texts that tell tokenizers apart: MMMLU's languages, numbers, signs, blanks and line breaks. */
const TEXTS = [
  "Question: Which of these is largest?\nA) 1,234.5\nB) -7 %\nC) 10^6\nD) none\nAnswer:",
  "ما هي عاصمة مصر؟ القاهرة.",
  "বাংলাদেশের রাজধানী কোনটি? ঢাকা।",
  "Welche Größe hat die Straße? Übermäßig groß!",
  "¿Cuál es la capital de España? Mañana, señor.",
  "L'élève a-t-il déjà étudié à l'école ? Où ça ?",
  "भारत की राजधानी क्या है? नई दिल्ली।",
  "Apa ibu kota Indonesia? Jakarta, bukan?",
  "Perché il cielo è blu? Così dev'essere.",
  "日本の首都は東京です。これは何ですか？",
  "대한민국의 수도는 어디입니까? 서울입니다.",
  "Qual é a função do coração? Não é só bombear.",
  "Mji mkuu wa Kenya ni upi? Nairobi.",
  "Kí ni olú-ìlú Nàìjíríà? Àbújá ni.",
  "中国的首都是哪里？北京。",
  "two  blanks   three, a\ttab, x<y && y>z; f(x) = {[1]}",
  " a blank in front, one behind ",
];

const anyKeys = z.record(z.string(), z.unknown());
const NAMED_TOKEN = /^(bos|eos|unk|sep|pad|cls|mask)_token$/;

/** What transformers.js reads of a tokenizer: both files' texts. */
export interface JavaScriptTokenizer {
  readonly "tokenizer.json": string;
  readonly "tokenizer_config.json": string;
}

/**
 * A model's tokenizer for transformers.js, held against the library that it uses: the chat template stands in
 * tokenizer_config.json, tokens are named by their text.
 * @throws {UserError} where there is no tokenizer.json, the library cannot read it, or gives other ids for some text
 */
export async function javaScriptTokenizer(folder: string): Promise<JavaScriptTokenizer> {
  const path = join(folder, "tokenizer.json");
  if (!existsSync(path))
    throw new UserError(`${folder} has no tokenizer.json, which transformers.js reads`, {
      hint: "In Python, AutoTokenizer.from_pretrained(...).save_pretrained(folder) writes it.",
    });
  const text = await readText(path);
  const settings = join(folder, "tokenizer_config.json");
  const given = existsSync(settings) ? await readJsonAs(settings, anyKeys) : {};
  const { chatTemplate } = await readTokenizerConfig(folder);
  const config = {
    tokenizer_class: "PreTrainedTokenizer",
    ...Object.fromEntries(
      Object.entries(given).map(([key, value]) => [key, NAMED_TOKEN.test(key) ? contentOf(value) : value]),
    ),
    ...(chatTemplate === undefined ? {} : { chat_template: chatTemplate }),
  };
  await holdAgainst(folder, path, parseJson(text, path) as object, config);
  return { "tokenizer.json": text, "tokenizer_config.json": `${JSON.stringify(config, null, 2)}\n` };
}

/** A token's text: transformers writes an object where it has more to say of it. */
const contentOf = (token: unknown): unknown => (token as { content?: unknown } | null)?.content ?? token;

async function holdAgainst(folder: string, path: string, json: object, config: object): Promise<void> {
  const { Tokenizer } = await import("@huggingface/tokenizers");
  const own = await loadTokenizer({ source: folder });
  const cannot = (what: string, cause?: unknown): UserError =>
    new UserError(`${path} cannot be carried over to transformers.js: ${what}`, {
      hint: "As GGUF (mmmlu export gguf) go models with SentencePiece's or a byte-level BPE tokenizer.",
      cause,
    });
  let theirs: InstanceType<typeof Tokenizer>;
  try {
    theirs = new Tokenizer(json, config);
  } catch (error) {
    throw cannot(messageOf(error), error);
  }
  for (const text of TEXTS) {
    const wanted = await own.encode(text, true);
    let found: readonly number[];
    try {
      found = theirs.encode(text).ids;
    } catch (error) {
      throw cannot(messageOf(error), error);
    }
    const at = wanted.findIndex((id, i) => found[i] !== id);
    if (at >= 0 || found.length !== wanted.length)
      throw cannot(
        `it would read ${JSON.stringify(text)} as other tokens, from the ${at < 0 ? wanted.length : at}th on`,
      );
  }
}
