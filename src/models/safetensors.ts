import { readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { messageOf, UserError } from "../base/errors.js";
import { sha256OfFile } from "../base/files.js";
import { hintForReading } from "../base/hint-for-reading.js";
import { printableName } from "../base/printable.js";
import { refusePointer } from "../base/text.js";
import { elementCount } from "../graph/index.js";
import { expandToFloat32, readsAsFloat32, STORED_TYPES, type StoredType } from "./float-formats.js";

/** Where a tensor lies in a safetensors file. */
export interface StoredTensor {
  readonly name: string;
  readonly type: StoredType;
  readonly shape: readonly number[];
  /** Place of its first byte in the file. */
  readonly offset: number;
  readonly bytes: number;
}

/** The format's own limit on a header. */
const LONGEST_HEADER = 100_000_000;
/** Tensors of a file at most: a hundred times what the largest models have. */
const MOST_TENSORS = 200_000;
/** Dimensions of a tensor at most. */
const MOST_DIMENSIONS = 16;
/** Bytes read at once while converting. */
const PIECE = 1 << 23;

/**
 * A safetensors file, opened and checked: its header is read, the tensors are read one at a time when asked for.
 * Source of the format: https://huggingface.co/docs/safetensors.
 */
export class SafetensorsFile {
  private constructor(
    readonly path: string,
    readonly tensors: ReadonlyMap<string, StoredTensor>,
    readonly metadata: Readonly<Record<string, string>>,
    private readonly file: FileHandle,
  ) {}

  /**
   * Opens a file and checks its header against its size.
   * @throws {UserError} where it is missing, cut short, or its header lies about types, shapes, sizes or places.
   */
  static async open(path: string): Promise<SafetensorsFile> {
    let file: FileHandle;
    try {
      file = await open(path, "r");
    } catch (error) {
      throw new UserError(`cannot open ${path}: ${messageOf(error)}`, { hint: hintForReading(error), cause: error });
    }
    try {
      const size = (await file.stat()).size;
      const { header, start } = await readHeader(file, path, size);
      const { tensors, metadata } = parseHeader(header, path, start, size);
      return new SafetensorsFile(path, tensors, metadata, file);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The entry of a tensor. @throws {UserError} where the file has none of that name. */
  entry(name: string): StoredTensor {
    const entry = this.tensors.get(name);
    if (!entry) throw new UserError(`${this.path} has no tensor ${name}`, { hint: "Is it the right file?" });
    return entry;
  }

  /** A tensor's bytes as they lie in the file. */
  async readBytes(name: string): Promise<Uint8Array> {
    const { offset, bytes } = this.entry(name);
    const out = new Uint8Array(bytes);
    await this.fill(out, offset);
    return out;
  }

  /** As {@link readBytes}, at once: for writing tensor by tensor what is read tensor by tensor. */
  readBytesNow(name: string): Uint8Array {
    const { offset, bytes } = this.entry(name);
    return this.readNow(name, offset, bytes);
  }

  /** As {@link readRows}, at once. */
  readRowsNow(name: string, from: number, count: number): Float32Array {
    const entry = this.entry(name);
    const width = this.rowWidth(entry, from, count);
    const out = new Float32Array(count * width);
    const size = STORED_TYPES[entry.type];
    expandToFloat32(this.readNow(name, entry.offset + from * width * size, count * width * size), entry.type, out, 0);
    return out;
  }

  /**
   * A tensor as float32 (from F32, F16, BF16, F64); needs the result and at most 8 MiB beside it.
   * @param memory that the result is a part of, where it is large enough: fresh memory takes its time
   * @throws {UserError} where its type is another.
   */
  async readFloat32(name: string, memory?: Float32Array): Promise<Float32Array> {
    const entry = this.entry(name);
    return this.convert(entry, 0, entry.bytes / STORED_TYPES[entry.type], memory);
  }

  /**
   * `count` rows (of the first axis) of a tensor from row `from` on, as float32: for tensors too large to hold whole.
   */
  async readRows(name: string, from: number, count: number): Promise<Float32Array> {
    const entry = this.entry(name);
    const width = this.rowWidth(entry, from, count);
    return this.convert(entry, from * width, count * width);
  }

  /** Elements of a row of the first axis. */
  private rowWidth({ name, shape }: StoredTensor, from: number, count: number): number {
    const rows = shape[0] ?? 1;
    if (from < 0 || count < 0 || from + count > rows)
      throw new Error(`rows ${from} to ${from + count} of ${rows} of ${name}`);
    return elementCount(shape.slice(1));
  }

  private readNow(name: string, position: number, bytes: number): Uint8Array {
    const out = new Uint8Array(bytes);
    for (let done = 0; done < bytes; ) {
      // One read call gives at most 2 GiB on Linux.
      const read = readSync(this.file.fd, out, done, Math.min(bytes - done, 1 << 30), position + done);
      if (read === 0)
        throw new UserError(`${this.path} ends before its tensor ${name}`, { hint: "Download or copy it again." });
      done += read;
    }
    return out;
  }

  /** SHA-256 of the file. */
  sha256(): Promise<string> {
    return sha256OfFile(this.path);
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private async convert(
    entry: StoredTensor,
    from: number,
    count: number,
    memory?: Float32Array,
  ): Promise<Float32Array> {
    if (!readsAsFloat32(entry.type))
      throw new UserError(`${this.path}: tensor ${entry.name} is ${entry.type}, not F32, F16, BF16 or F64`, {
        hint: "Weights that are stored quantized are not supported: take the model as it was before.",
      });
    const width = STORED_TYPES[entry.type];
    const out = memory && memory.length >= count ? memory.subarray(0, count) : new Float32Array(count);
    if (entry.type === "F32") {
      await this.fill(new Uint8Array(out.buffer, out.byteOffset, out.byteLength), entry.offset + from * width);
      return out;
    }
    const piece = new Uint8Array(Math.min(PIECE, count * width));
    for (let done = 0; done < count; ) {
      const now = Math.min(count - done, PIECE / width);
      const bytes = piece.subarray(0, now * width);
      await this.fill(bytes, entry.offset + (from + done) * width);
      expandToFloat32(bytes, entry.type, out, done);
      done += now;
    }
    return out;
  }

  private async fill(bytes: Uint8Array, position: number): Promise<void> {
    await readExactly(this.file, this.path, bytes, position);
  }
}

async function readExactly(file: FileHandle, path: string, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, Math.min(bytes.length - done, 1 << 30), position + done);
    if (bytesRead === 0)
      throw new UserError(`${path} ended while it was being read, at byte ${position + done}`, {
        hint: "Download it again.",
      });
    done += bytesRead;
  }
}

async function readHeader(file: FileHandle, path: string, size: number): Promise<{ header: string; start: number }> {
  const wrong = (what: string): never => {
    throw new UserError(`${path} is no whole safetensors file: ${what}`, { hint: "Download or copy it again." });
  };
  if (size < 8) wrong(`it has ${size} bytes, fewer than the 8 that name the header's length`);
  const start = new Uint8Array(Math.min(size, 64));
  await readExactly(file, path, start, 0);
  refusePointer(start, path);
  const lengthBytes = start.slice(0, 8);
  const length = new DataView(lengthBytes.buffer).getBigUint64(0, true);
  if (length > BigInt(LONGEST_HEADER))
    wrong(`its header claims ${length} bytes, and the format allows ${LONGEST_HEADER}`);
  if (Number(length) > size - 8) wrong(`its header claims ${length} bytes, and the file has ${size}`);
  const bytes = new Uint8Array(Number(length));
  await readExactly(file, path, bytes, 8);
  let header = "";
  try {
    header = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    wrong("its header is not UTF-8");
  }
  return { header, start: 8 + Number(length) };
}

function parseHeader(
  header: string,
  path: string,
  start: number,
  size: number,
): { tensors: Map<string, StoredTensor>; metadata: Record<string, string> } {
  const wrong = (what: string): never => {
    throw new UserError(`${path} is no sound safetensors file: ${printableName(what, 500)}`, {
      hint: "Download it again, or write it again.",
    });
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(header);
  } catch (error) {
    wrong(`its header is not JSON: ${messageOf(error)}`);
  }
  if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed)) wrong("its header is not a JSON object");
  const metadata: Record<string, string> = {};
  const list: StoredTensor[] = [];
  const entries = Object.entries(parsed as Record<string, unknown>);
  if (entries.length > MOST_TENSORS) wrong(`it has ${entries.length} tensors, and at most ${MOST_TENSORS} are read`);
  for (const [name, value] of entries) {
    if (name === "__metadata__") {
      for (const [key, text] of Object.entries((value ?? {}) as Record<string, unknown>)) {
        if (typeof text !== "string") wrong(`__metadata__.${key} is not text`);
        metadata[key] = text as string;
      }
      continue;
    }
    const {
      dtype,
      shape,
      data_offsets: offsets,
    } = (value ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
    if (typeof dtype !== "string" || !Object.hasOwn(STORED_TYPES, dtype))
      wrong(`tensor ${name} has the unknown type ${shown(dtype)}`);
    if (!Array.isArray(shape) || shape.length > MOST_DIMENSIONS || !shape.every(isCount))
      wrong(`tensor ${name} has the shape ${shown(shape)}`);
    if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
      wrong(`tensor ${name} has the offsets ${shown(offsets)}`);
    const type = dtype as StoredType;
    const [begin, end] = offsets as [number, number];
    const elements = elementCount(shape as number[]);
    const bytes = elements * STORED_TYPES[type];
    if (!Number.isSafeInteger(bytes)) wrong(`tensor ${name} has the shape ${shown(shape)}`);
    if (end - begin !== bytes)
      wrong(
        `tensor ${name}, ${type} [${(shape as number[]).join(", ")}], needs ${bytes} bytes and is given ${end - begin}`,
      );
    if (start + end > size) {
      wrong(
        `tensor ${name} ends at byte ${start + end}, and the file has ${size}; it was cut short, or its header lies`,
      );
    }
    list.push({ name, type, shape: shape as number[], offset: start + begin, bytes });
  }
  let place = start;
  for (const tensor of [...list].sort((a, b) => a.offset - b.offset || a.bytes - b.bytes)) {
    if (tensor.offset < place) wrong(`tensor ${tensor.name} overlaps the one before it`);
    if (tensor.offset > place) wrong(`${tensor.offset - place} bytes before tensor ${tensor.name} belong to no tensor`);
    place += tensor.bytes;
  }
  if (place !== size) wrong(`its tensors end at byte ${place}, and the file has ${size}`);
  return { tensors: new Map(list.map((tensor) => [tensor.name, tensor])), metadata };
}

/** A value of a header for a message. */
const shown = (value: unknown): string => String(JSON.stringify(value)).slice(0, 100);

function isCount(value: unknown): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
