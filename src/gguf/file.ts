import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { messageOf, UserError } from "../base/errors.js";
import { sha256, sha256OfFile } from "../base/files.js";
import { hintForReading } from "../base/hint-for-reading.js";
import { dequantize } from "./dequantize.js";
import { type GgufTensor, type Metadata, readHeader } from "./header.js";
import { KINDS } from "./kinds.js";
import { MetadataReader } from "./metadata.js";

/** Bytes read at once while converting. */
const PIECE = 1 << 23;
/** Parts of a model at most. */
const MOST_PARTS = 1000;

const PART = /-(\d{5})-of-(\d{5})\.gguf$/i;

interface Part {
  readonly path: string;
  readonly file: number;
}
type Placed = GgufTensor & { readonly part: Part };

/** The path of another part of a split model. @param number from 1 */
export function partPath(path: string, number: number): string {
  const [, , count] = PART.exec(path)!;
  return join(dirname(path), basename(path).replace(PART, `-${String(number).padStart(5, "0")}-of-${count}.gguf`));
}

/** Of how many parts a path names one; undefined where it names a whole model. */
export function partCount(path: string): number | undefined {
  const count = PART.exec(path)?.[2];
  return count === undefined ? undefined : Number(count);
}

/**
 * A GGUF model, in one file or split into parts, opened and checked: headers are read, tensors one at a time when asked
 * for.
 */
export class GgufFile {
  private constructor(
    /** Of the first part. */
    readonly path: string,
    /** Of the first part, which has all of it. */
    readonly metadata: MetadataReader,
    readonly tensors: ReadonlyMap<string, GgufTensor>,
    private readonly placed: ReadonlyMap<string, Placed>,
    private readonly parts: readonly Part[],
  ) {}

  /**
   * Opens a file; of a split model any part stands for the whole.
   * @throws {UserError} where it is missing, no sound GGUF file, of a kind that is not supported, or a part is missing
   * or another model's
   */
  static open(given: string): GgufFile {
    const count = partCount(given);
    const path = count === undefined ? given : partPath(given, 1);
    const parts: Part[] = [];
    try {
      const [first, header] = openPart(path, parts);
      const placed = new Map<string, Placed>(header.tensors.map((tensor) => [tensor.name, { ...tensor, part: first }]));
      const metadata = new MetadataReader(path, header.metadata);
      checkSplit(path, header.metadata, 1, count);
      for (let number = 2; number <= (count ?? 1); number++) {
        const [part, { metadata: own, tensors }] = openPart(partPath(path, number), parts);
        checkSplit(part.path, own, number, count);
        for (const tensor of tensors) {
          if (placed.has(tensor.name))
            throw new UserError(`${part.path}: tensor ${tensor.name} is in another part too`, {
              hint: "Its parts do not belong together: download them again.",
            });
          placed.set(tensor.name, { ...tensor, part });
        }
      }
      const total = metadata.optionalNumber("split.tensors.count");
      if (count !== undefined && total !== undefined && total !== placed.size)
        throw new UserError(`${path}: its parts have ${placed.size} tensors, and ${total} are told of`, {
          hint: "Do all parts belong to the same model? Download them again.",
        });
      return new GgufFile(path, metadata, placed, placed, parts);
    } catch (error) {
      for (const { file } of parts) closeSync(file);
      throw error;
    }
  }

  /**
   * Rows (of the first axis) of a tensor as float32, from row `from` on; needs the result and at most 8 MiB beside it.
   */
  readRows(name: string, from: number, count: number, memory?: Float32Array): Float32Array {
    const tensor = this.entry(name);
    const rows = tensor.shape.length === 1 ? 1 : tensor.shape[0]!;
    if (from < 0 || count < 0 || from + count > rows)
      throw new Error(`rows ${from} to ${from + count} of ${rows} of ${name}`);
    const width = tensor.shape.reduce((product, size) => product * size, 1) / rows;
    const out =
      memory && memory.length >= count * width ? memory.subarray(0, count * width) : new Float32Array(count * width);
    const { bytes: blockBytes, elements } = KINDS[tensor.kind];
    const most = Math.floor(PIECE / blockBytes) * blockBytes;
    const total = (count * width * blockBytes) / elements;
    const start = tensor.offset + (from * width * blockBytes) / elements;
    const piece = new Uint8Array(Math.min(most, total));
    for (let done = 0; done < total; ) {
      const bytes = piece.subarray(0, Math.min(most, total - done));
      fill(tensor.part, bytes, start + done);
      dequantize(bytes, tensor.kind, out, (done / blockBytes) * elements);
      done += bytes.length;
    }
    return out;
  }

  /** A tensor's bytes as they lie in the file. */
  readBytes(name: string): Uint8Array {
    const tensor = this.entry(name);
    const out = new Uint8Array(tensor.bytes);
    fill(tensor.part, out, tensor.offset);
    return out;
  }

  /** SHA-256 of the file, or of its parts' hashes. */
  async sha256(): Promise<string> {
    const hashes = [];
    for (const { path } of this.parts) hashes.push(await sha256OfFile(path));
    return hashes.length === 1 ? hashes[0]! : sha256(hashes.join("\n"));
  }

  close(): void {
    for (const { file } of this.parts) closeSync(file);
  }

  private entry(name: string): Placed {
    const tensor = this.placed.get(name);
    if (!tensor) throw new UserError(`${this.path} has no tensor ${name}`, { hint: "Is it the right file?" });
    return tensor;
  }
}

function openPart(path: string, parts: Part[]): [Part, ReturnType<typeof readHeader>] {
  if (partCount(path) !== undefined && !existsSync(path))
    throw new UserError(`there is no file ${path}, a part of a split model`, {
      hint: "All parts must lie beside each other: download the missing one.",
    });
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    throw new UserError(`cannot open ${path}: ${messageOf(error)}`, { hint: hintForReading(error), cause: error });
  }
  const part = { path, file };
  parts.push(part);
  const stat = fstatSync(file);
  if (!stat.isFile()) throw new UserError(`${path} is no file`, { hint: "Give a .gguf file." });
  return [part, readHeader(file, path, stat.size)];
}

/**
 * @throws {UserError} where a file says that it is another part, or one of another number of them, than its name says
 */
function checkSplit(path: string, given: Metadata, number: number, count: number | undefined): void {
  const metadata = new MetadataReader(path, given);
  const [own, all] = [metadata.optionalNumber("split.no") ?? 0, metadata.optionalNumber("split.count") ?? 0];
  if ((count ?? 1) < 1 || (count ?? 1) > MOST_PARTS)
    throw new UserError(`${path} is named as one of ${count} parts; 1 to ${MOST_PARTS} are read`, {
      hint: "Give the first part, as llama.cpp names it: model-00001-of-00003.gguf.",
    });
  if (own !== number - 1 || Math.max(all, 1) !== (count ?? 1))
    throw new UserError(
      `${path} says that it is part ${own + 1} of ${all}, and its name says ` +
        `${count === undefined ? "that it is the whole" : `part ${number} of ${count}`}`,
      { hint: "Parts keep the names that they were made with, such as model-00001-of-00003.gguf." },
    );
}

function fill({ file, path }: Part, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    // One read call gives at most 2 GiB on Linux.
    const read = readSync(file, bytes, done, Math.min(bytes.length - done, 1 << 30), position + done);
    if (read === 0)
      throw new UserError(`${path} ended while it was being read, at byte ${position + done}`, {
        hint: "Download it again.",
      });
    done += read;
  }
}
