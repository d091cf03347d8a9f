import { readSync } from "node:fs";
import { UserError } from "../base/errors.js";
import { printableName } from "../base/printable.js";
import { refusePointer } from "../base/text.js";
import { bytesOf, KINDS, type Kind, kindOf } from "./kinds.js";

/** What a key of the metadata can hold. Numbers of 64 bits are read where a JavaScript number holds them exactly. */
export type MetadataValue = number | boolean | string | NumberList | readonly string[];
export type NumberList =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | Uint16Array
  | Int16Array
  | Uint8Array
  | Int8Array;
export type Metadata = ReadonlyMap<string, MetadataValue>;

/** Where a tensor lies. */
export interface GgufTensor {
  readonly name: string;
  readonly kind: Kind;
  /** As PyTorch has it, the fastest axis last: the file has them the other way round. */
  readonly shape: readonly number[];
  /** Place of its first byte in the file. */
  readonly offset: number;
  readonly bytes: number;
}

export interface GgufHeader {
  readonly metadata: Metadata;
  readonly tensors: readonly GgufTensor[];
  /** Bytes of the file before its tensors' data. */
  readonly bytes: number;
}

/** Types of metadata by their number in the file. */
export const VALUE_TYPES = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
  uint64: 10,
  int64: 11,
  float64: 12,
} as const;
export type ValueType = keyof typeof VALUE_TYPES;
const TYPE_NAMES = new Map(Object.entries(VALUE_TYPES).map(([name, id]) => [id as number, name as ValueType]));
const WIDTHS: Readonly<Record<Exclude<ValueType, "string" | "array">, number>> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  bool: 1,
  uint64: 8,
  int64: 8,
  float64: 8,
};

/**
 * What a header may have at most, beyond any model that there is; all of it together is held in memory while it is
 * read.
 */
export const LIMITS = {
  headerBytes: 256 << 20,
  keys: 65_536,
  keyBytes: 65_535,
  stringBytes: 16 << 20,
  /** Texts of one list: the largest vocabularies have half a million merges. */
  listTexts: 1 << 22,
  listNumbers: 1 << 24,
  tensors: 200_000,
  tensorNameBytes: 255,
  dimensions: 4,
  alignment: 1 << 20,
} as const;

/** The magic number: "GGUF". */
export const MAGIC = 0x46554747;
export const DEFAULT_ALIGNMENT = 32;

/**
 * Reads and checks a GGUF file's header: metadata and the table of tensors, every count, length, kind and place against
 * the file's size. Source of the format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3,
 * little-endian).
 * @param file its descriptor
 * @param size of the file in bytes
 * @throws {UserError} where it is no GGUF file, of another version, cut short, or says what cannot be
 */
export function readHeader(file: number, path: string, size: number): GgufHeader {
  const reader = new HeaderReader(file, path, size);
  if (size < 24) reader.wrong(`it has ${size} bytes, and a header has at least 24`);
  const magic = reader.uint32();
  if (magic !== MAGIC) {
    const start = new Uint8Array(Math.min(size, 64));
    readSync(file, start, 0, start.length, 0);
    refusePointer(start, path);
    throw new UserError(`${path} is no GGUF file: it does not begin with "GGUF"`, {
      hint: "Download or copy it again; a .gguf file is meant.",
    });
  }
  const version = reader.uint32();
  if (version !== 2 && version !== 3) {
    const what =
      version >= 0x1000000
        ? "it is written for big-endian machines"
        : `version ${version} of the format is not supported`;
    throw new UserError(`${path}: ${what}`, {
      hint: "Supported: versions 2 and 3, little-endian. Convert the model anew.",
    });
  }
  const tensorCount = reader.count("tensors", LIMITS.tensors, 24);
  const keyCount = reader.count("keys of metadata", LIMITS.keys, 13);
  const metadata = new Map<string, MetadataValue>();
  for (let i = 0; i < keyCount; i++) {
    const key = reader.text("a key", LIMITS.keyBytes);
    if (metadata.has(key)) reader.wrong(`the key ${shown(key)} stands in it twice`);
    metadata.set(key, reader.value(key));
  }
  const alignment = metadata.get("general.alignment") ?? DEFAULT_ALIGNMENT;
  if (typeof alignment !== "number" || !(alignment >= 8 && alignment <= LIMITS.alignment && alignment % 8 === 0))
    reader.wrong(`general.alignment is ${shown(String(alignment))}`);
  const found = Array.from({ length: tensorCount }, () => tensorEntry(reader));
  const start = Math.ceil(reader.position / (alignment as number)) * (alignment as number);
  return { metadata, tensors: placed(found, start, alignment as number, size, reader), bytes: reader.position };
}

/** A tensor's entry, its offset still from the data's start. */
function tensorEntry(reader: HeaderReader): GgufTensor {
  const name = reader.text("a tensor's name", LIMITS.tensorNameBytes);
  const dimensions = reader.uint32();
  if (dimensions === 0 || dimensions > LIMITS.dimensions)
    reader.wrong(`tensor ${shown(name)} has ${dimensions} dimensions, not 1 to ${LIMITS.dimensions}`);
  const shape = Array.from({ length: dimensions }, () => reader.uint64(`a size of tensor ${shown(name)}`)).reverse();
  const kind = kindOf(reader.uint32(), reader.path, printableName(name));
  const offset = reader.uint64(`the place of tensor ${shown(name)}`);
  const elements = shape.reduce((product, one) => product * one, 1);
  if (shape.some((one) => one === 0) || !Number.isSafeInteger(elements * 4))
    reader.wrong(`tensor ${shown(name)} has the shape [${shape.join(", ")}]`);
  if (shape.at(-1)! % KINDS[kind].elements !== 0)
    reader.wrong(
      `rows of tensor ${shown(name)} have ${shape.at(-1)} elements, and ${kind} stores blocks of ` +
        `${KINDS[kind].elements}`,
    );
  return { name, kind, shape, offset, bytes: bytesOf(kind, elements) };
}

function placed(
  found: readonly GgufTensor[],
  start: number,
  alignment: number,
  size: number,
  reader: HeaderReader,
): GgufTensor[] {
  const tensors = found.map((tensor) => ({ ...tensor, offset: start + tensor.offset }));
  const names = new Set<string>();
  for (const { name, offset, bytes } of tensors) {
    if (names.has(name)) reader.wrong(`the tensor ${shown(name)} stands in it twice`);
    names.add(name);
    if ((offset - start) % alignment !== 0)
      reader.wrong(`tensor ${shown(name)} begins at ${offset - start}, no multiple of ${alignment}`);
    if (!Number.isSafeInteger(offset + bytes) || offset + bytes > size)
      reader.wrong(
        `tensor ${shown(name)} ends at byte ${offset + bytes}, and the file has ${size}; it was cut short, or ` +
          `its header lies`,
      );
  }
  let end = start;
  for (const { name, offset, bytes } of [...tensors].sort((a, b) => a.offset - b.offset)) {
    if (offset < end) reader.wrong(`tensor ${shown(name)} overlaps the one before it`);
    end = offset + bytes;
  }
  return tensors;
}

const shown = (text: string): string => JSON.stringify(printableName(text, 100));

/** Bytes that are read from the file at once. */
const PIECE = 1 << 20;

/** Reads the header from first to last; what it is asked for must be there, and within the limits. */
class HeaderReader {
  private buffer: Buffer = Buffer.alloc(0);
  /** Place of the buffer's first byte in the file. */
  private start = 0;
  private at = 0;

  constructor(
    private readonly file: number,
    readonly path: string,
    private readonly size: number,
  ) {}

  get position(): number {
    return this.start + this.at;
  }

  wrong(what: string): never {
    throw new UserError(`${this.path} is no sound GGUF file: ${what}`, { hint: "Download or copy it again." });
  }

  uint32(): number {
    return this.take(4).readUInt32LE(0);
  }

  /** @throws {UserError} where it is more than a JavaScript number holds exactly */
  uint64(what: string): number {
    const value = this.take(8).readBigUInt64LE(0);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.wrong(`${what} is ${value}`);
    return Number(value);
  }

  /** How many of something follow, of which each takes `least` bytes or more. */
  count(what: string, most: number, least: number): number {
    const count = this.uint64(`the number of ${what}`);
    if (count > most) this.wrong(`it claims ${count} ${what}, and at most ${most} are read`);
    if (count * least > this.size - this.position)
      this.wrong(`it claims ${count} ${what}, more than its ${this.size} bytes can hold`);
    return count;
  }

  text(what: string, most: number): string {
    const length = this.count(`bytes of ${what}`, most, 1);
    const bytes = this.take(length);
    const text = bytes.toString("utf8");
    // Where a byte was replaced the text does not give the same bytes again.
    if (text.includes("\ufffd") && !Buffer.from(text, "utf8").equals(bytes)) this.wrong(`${what} is not UTF-8`);
    return text;
  }

  value(key: string): MetadataValue {
    const type = this.type(key);
    if (type === "string") return this.text(shown(key), LIMITS.stringBytes);
    if (type === "array") return this.list(key);
    return this.scalar(type, key);
  }

  private type(key: string): ValueType {
    const id = this.uint32();
    return TYPE_NAMES.get(id) ?? this.wrong(`${shown(key)} is of the unknown type ${id}`);
  }

  private scalar(type: Exclude<ValueType, "string" | "array">, key: string): number | boolean {
    const bytes = this.take(WIDTHS[type]);
    const value = scalarOf(bytes, type, 0);
    if (type === "bool") {
      if (value !== 0 && value !== 1) this.wrong(`${shown(key)} is ${value}, neither true nor false`);
      return value === 1;
    }
    if (!Number.isSafeInteger(value) && (type === "int64" || type === "uint64"))
      this.wrong(`${shown(key)} is ${value}`);
    return value;
  }

  private list(key: string): MetadataValue {
    const type = this.type(key);
    if (type === "array") this.wrong(`${shown(key)} is a list of lists`);
    if (type === "string") {
      const count = this.count(`texts of ${shown(key)}`, LIMITS.listTexts, 8);
      const texts: string[] = [];
      for (let i = 0; i < count; i++) texts.push(this.text(`a text of ${shown(key)}`, LIMITS.stringBytes));
      return texts;
    }
    const width = WIDTHS[type];
    const count = this.count(`numbers of ${shown(key)}`, LIMITS.listNumbers, width);
    const bytes = this.take(count * width);
    const values = new (LISTS[type] ?? Float64Array)(count);
    for (let i = 0; i < count; i++) values[i] = scalarOf(bytes, type, i * width);
    return values;
  }

  /** The next bytes; they hold until the next call. */
  private take(bytes: number): Buffer {
    if (bytes > this.size - this.position)
      this.wrong(`it ends within its header, at byte ${this.size}; it was cut short, or its header lies`);
    if (this.position + bytes > LIMITS.headerBytes) this.wrong(`its header has more than ${LIMITS.headerBytes} bytes`);
    if (this.at + bytes > this.buffer.length) this.fill(bytes);
    const taken = this.buffer.subarray(this.at, this.at + bytes);
    this.at += bytes;
    return taken;
  }

  private fill(bytes: number): void {
    const from = this.position;
    const fresh = Buffer.alloc(Math.min(Math.max(bytes, PIECE), this.size - from));
    for (let done = 0; done < fresh.length; ) {
      const read = readSync(this.file, fresh, done, fresh.length - done, from + done);
      if (read === 0) this.wrong(`it ended while it was being read, at byte ${from + done}`);
      done += read;
    }
    [this.buffer, this.start, this.at] = [fresh, from, 0];
  }
}

/** How a list of numbers is held; those of 64 bits as doubles. */
const LISTS: Partial<Record<ValueType, new (length: number) => NumberList>> = {
  uint8: Uint8Array,
  int8: Int8Array,
  bool: Uint8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
};

function scalarOf(bytes: Buffer, type: Exclude<ValueType, "string" | "array">, at: number): number {
  switch (type) {
    case "uint8":
    case "bool":
      return bytes.readUInt8(at);
    case "int8":
      return bytes.readInt8(at);
    case "uint16":
      return bytes.readUInt16LE(at);
    case "int16":
      return bytes.readInt16LE(at);
    case "uint32":
      return bytes.readUInt32LE(at);
    case "int32":
      return bytes.readInt32LE(at);
    case "float32":
      return bytes.readFloatLE(at);
    case "float64":
      return bytes.readDoubleLE(at);
    case "uint64":
      return Number(bytes.readBigUInt64LE(at));
    case "int64":
      return Number(bytes.readBigInt64LE(at));
  }
}
