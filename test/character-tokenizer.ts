import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SPECIAL = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"];

/**
 * Writes the files of a tokenizer that GGUF can have: SentencePiece's BPE with byte fallback, a token a character, and
 * one for each letter with the space before it. Opens texts with `<bos>`.
 * @returns how many tokens it has
 */
export function writeCharacterTokenizer(folder: string, chatTemplate?: string): number {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  const signs = Array.from({ length: 94 }, (_, code) => String.fromCharCode(33 + code));
  const letters = ["A", "B", "C", "D"];
  const tokens = [...SPECIAL, ...bytes, "\n", "▁", ...signs, ...letters.map((letter) => `▁${letter}`)];
  const token = (content: string, id: number) => {
    const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false };
    return { id, content, ...plain, special: true };
  };
  const texts = [{ SpecialToken: { id: "<bos>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }];
  const json = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: SPECIAL.map(token),
    normalizer: { type: "Replace", pattern: { String: " " }, content: "▁" },
    pre_tokenizer: null,
    post_processor: {
      type: "TemplateProcessing",
      single: texts,
      pair: texts,
      special_tokens: { "<bos>": { id: "<bos>", ids: [2], tokens: ["<bos>"] } },
    },
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
      ],
    },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: "<unk>",
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((one, id) => [one, id])),
      merges: letters.map((letter) => ["▁", letter]),
    },
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(json));
  const names = { bos_token: "<bos>", eos_token: "<eos>", pad_token: "<pad>", unk_token: "<unk>" };
  writeFileSync(
    join(folder, "tokenizer_config.json"),
    JSON.stringify({ ...names, ...(chatTemplate === undefined ? {} : { chat_template: chatTemplate }) }),
  );
  return tokens.length;
}
