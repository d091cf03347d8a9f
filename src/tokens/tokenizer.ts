import { messageOf, UserError } from "../base/errors.js";
import { collectGarbage } from "../base/garbage.js";
import { printableName } from "../base/printable.js";
import { byteLevelText, isByteLevel } from "./byte-level.js";

/**
 * Texts in one call to the native library: it uses all cores by itself, and V8 does not see the memory of encodings.
 */
const BATCH = 1024;

/** Characters in single texts after which their encodings' memory is taken back. */
const UNCOLLECTED = 1 << 20;

/** The parts of `tokenizer.json` that are looked at here. */
export interface TokenizerDefinition {
  readonly added_tokens?: readonly {
    readonly id: number;
    readonly content: string;
    readonly special: boolean;
    readonly single_word?: boolean;
    readonly lstrip?: boolean;
    readonly rstrip?: boolean;
    readonly normalized?: boolean;
  }[];
  readonly normalizer?: unknown;
  readonly post_processor?: unknown;
  readonly pre_tokenizer?: {
    readonly type?: string;
    readonly add_prefix_space?: boolean;
    readonly use_regex?: boolean;
  } | null;
  readonly decoder?: { readonly type?: string; readonly decoders?: readonly { readonly type?: string }[] } | null;
  readonly model?: {
    readonly type?: string;
    readonly unk_token?: string | null;
    readonly unk_id?: number | null;
    readonly byte_fallback?: boolean;
    readonly ignore_merges?: boolean;
    readonly dropout?: number | null;
    readonly vocab?: object;
  };
}

/** The parts of `tokenizer_config.json` that are looked at here. */
export interface TokenizerSettings {
  /** What opens a text, if the model's texts are opened. */
  readonly bosToken?: string;
  /** What ends a text or a turn. */
  readonly eosToken?: string;
  /** Whether spaces before punctuation are taken out of what is decoded: `clean_up_tokenization_spaces`. */
  readonly cleanUpSpaces?: boolean;
}

/** As `clean_up_tokenization` of transformers takes spaces out, one after another. */
const SPACED = [" .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've", " 're"];

/** Ends of texts of published tokenizers, for those without a `tokenizer_config.json`. */
const USUAL_ENDS = ["<eos>", "</s>", "<|endoftext|>", "<|end_of_text|>"];
const USUAL_BEGINNINGS = ["<bos>", "<s>", "<|begin_of_text|>"];

/** What one text comes to. */
interface Encoding {
  getIds(): number[];
  getLength(): number;
}

/** What is used of the `tokenizers` package: its own declarations are not sound TypeScript. */
export interface NativeTokenizer {
  getVocabSize(withAddedTokens: boolean): number;
  tokenToId(token: string): number | null | undefined;
  idToToken(id: number): string | null | undefined;
  encode(text: string, pair: null, options: { addSpecialTokens: boolean }): Promise<Encoding>;
  encodeBatch(texts: string[], options: { addSpecialTokens: boolean }): Promise<Encoding[]>;
  decode(ids: number[], skipSpecialTokens: boolean): Promise<string>;
  disableTruncation(): void;
  disablePadding(): void;
}

/** A tokenizer with what identifies it. Wraps Hugging Face's own. */
export class Tokenizer {
  /** Characters encoded one text at a time since the collector ran. */
  private uncollected = 0;
  private readonly specialIds: ReadonlySet<number>;

  /**
   * @param source the folder or hub id that it came from
   * @param sha256 of the file or files that define it
   */
  constructor(
    readonly native: NativeTokenizer,
    readonly source: string,
    readonly sha256: string,
    readonly definition: TokenizerDefinition,
    private readonly settings: TokenizerSettings = {},
  ) {
    this.specialIds = new Set(
      (definition.added_tokens ?? []).filter((token) => token.special).map((token) => token.id),
    );
    // A tokenizer.json keeps how its last texts were cut and filled up; transformers does neither unless asked to.
    native.disableTruncation();
    native.disablePadding();
  }

  /** How many tokens there are, added ones included. */
  get vocabularySize(): number {
    return this.native.getVocabSize(true);
  }

  /** The id of a token, such as `</s>`; undefined where there is none. */
  tokenId(token: string): number | undefined {
    return this.native.tokenToId(token) ?? undefined;
  }

  /** The name of the token that opens a text; undefined where there is none. */
  get bosToken(): string | undefined {
    return this.settings.bosToken ?? USUAL_BEGINNINGS.find((name) => this.specialTokens.includes(name));
  }

  /** The name of the token that ends a text; undefined where there is none. */
  get eosToken(): string | undefined {
    return this.settings.eosToken ?? USUAL_ENDS.find((name) => this.specialTokens.includes(name));
  }

  /** A token as it stands in a text, its leading space kept; � for bytes that are no whole character. */
  writtenToken(id: number): string {
    const raw = this.tokenOf(id) ?? "";
    if (this.isSpecial(id)) return raw;
    return isByteLevel(this.definition) ? byteLevelText(raw) : raw.replaceAll("▁", " ");
  }

  /** The token with an id. */
  tokenOf(id: number): string | undefined {
    return this.native.idToToken(id) ?? undefined;
  }

  /**
   * The id that stands for what the vocabulary cannot write; undefined for byte-level tokenizers, which can write all.
   */
  get unknownId(): number | undefined {
    const { unk_token: token, unk_id: id } = this.definition.model ?? {};
    return id ?? (token ? this.tokenId(token) : undefined);
  }

  /**
   * Whether tokens of single bytes stand for all that no other token writes: BPE's `byte_fallback`, with a token of
   * each byte, or of the character that alone has it (Gemma's tab).
   */
  get writesAllBytes(): boolean {
    const { type, byte_fallback: falls, vocab = {} } = this.definition.model ?? {};
    const written = (byte: number): boolean =>
      Object.hasOwn(vocab, `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`) ||
      (byte < 0x80 && Object.hasOwn(vocab, String.fromCharCode(byte)));
    return type === "BPE" && falls === true && Array.from({ length: 256 }, (_, byte) => byte).every(written);
  }

  isSpecial(id: number): boolean {
    return this.specialIds.has(id);
  }

  /** The names of its special tokens, such as `</s>`. */
  get specialTokens(): string[] {
    return (this.definition.added_tokens ?? []).filter(({ special }) => special).map(({ content }) => content);
  }

  /** Characters of the longest token. */
  get longestToken(): number {
    let longest = 1;
    // Asked for once: it is counted anew each time, over all added tokens.
    const size = this.vocabularySize;
    for (let id = 0; id < size; id++) longest = Math.max(longest, this.tokenOf(id)?.length ?? 0);
    return longest;
  }

  /** @returns token ids; with `specialTokens`, those around a text too */
  async encode(text: string, specialTokens: boolean): Promise<number[]> {
    const encoding = await this.asked(this.native.encode(text, null, { addSpecialTokens: specialTokens }));
    // As in batches: an encoding has some hundred bytes a token that V8 does not count.
    this.uncollected += text.length;
    if (this.uncollected >= UNCOLLECTED) {
      collectGarbage();
      this.uncollected = 0;
    }
    return encoding.getIds();
  }

  /** Token ids of many texts, in order. */
  async encodeAll(texts: readonly string[], specialTokens: boolean): Promise<number[][]> {
    const all: number[][] = [];
    await this.batches(texts, specialTokens, (encoding) => all.push(encoding.getIds()));
    return all;
  }

  /** Numbers of tokens of many texts, in order. Memory does not grow with their number. */
  async count(texts: readonly string[], specialTokens: boolean, told?: (done: number) => void): Promise<Int32Array> {
    const counts = new Int32Array(texts.length);
    let at = 0;
    await this.batches(texts, specialTokens, (encoding) => (counts[at++] = encoding.getLength()), told);
    return counts;
  }

  async decode(ids: readonly number[], skipSpecialTokens: boolean): Promise<string> {
    const text = await this.asked(this.native.decode([...ids], skipSpecialTokens));
    // transformers does not follow the setting for BPE, whose texts have their own spaces.
    return this.settings.cleanUpSpaces && this.definition.model?.type !== "BPE"
      ? SPACED.reduce((cleaned, piece) => cleaned.replaceAll(piece, piece.trim()), text)
      : text;
  }

  /** What the library is asked for. @throws {UserError} where it cannot, as where a word has no token at all */
  private async asked<T>(given: Promise<T>): Promise<T> {
    try {
      return await given;
    } catch (error) {
      throw new UserError(`the tokenizer of ${this.source} cannot read a text: ${printableName(messageOf(error))}`, {
        hint: "Its tokenizer.json is damaged or not whole: download or copy it again.",
        cause: error,
      });
    }
  }

  private async batches(
    texts: readonly string[],
    specialTokens: boolean,
    take: (encoding: Encoding) => void,
    told?: (done: number) => void,
  ): Promise<void> {
    let sinceCollected = 0;
    for (let start = 0; start < texts.length; start += BATCH) {
      const part = texts.slice(start, start + BATCH);
      const encodings = await this.asked(this.native.encodeBatch(part, { addSpecialTokens: specialTokens }));
      for (const encoding of encodings) take(encoding);
      told?.(Math.min(texts.length, start + BATCH));
      sinceCollected += BATCH;
      // Encodings hold memory that V8 does not count: without this a corpus takes gigabytes.
      if (sinceCollected >= 8 * BATCH) {
        collectGarbage();
        sinceCollected = 0;
      }
    }
  }
}
