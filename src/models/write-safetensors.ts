import { basename, dirname, join } from "node:path";
import { writeWholeWith } from "../base/files.js";
import { writeJsonWhole } from "../base/json.js";
import { elementCount } from "../graph/index.js";
import { STORED_TYPES, type StoredType } from "./float-formats.js";

/** A tensor to write. */
export interface TensorToWrite {
  readonly name: string;
  readonly type: StoredType;
  readonly shape: readonly number[];
  /** Its elements; asked for when it is written, so that one tensor at a time need be in memory. */
  readonly elements: () => ArrayBufferView;
}

const bytesOf = (tensor: TensorToWrite): number => elementCount(tensor.shape) * STORED_TYPES[tensor.type];

/**
 * Writes tensors as one safetensors file, whole or not at all, in the order given.
 * `metadata` is as transformers and PEFT write it: they refuse files without a `format`.
 * @param seen is shown every piece as it is written: to hash the file, say
 * @throws {UserError} where it cannot be written (a full disk): nothing is left behind.
 */
export function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = { format: "pt" },
  seen?: (piece: Uint8Array) => void,
): void {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const tensor of tensors) {
    const bytes = bytesOf(tensor);
    if (Object.hasOwn(header, tensor.name)) throw new Error(`two tensors named ${tensor.name}`);
    header[tensor.name] = { dtype: tensor.type, shape: tensor.shape, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  const text = JSON.stringify(header);
  // The data starts at a multiple of 8 bytes; spaces fill up.
  const json = Buffer.from(text.padEnd(text.length + ((8 - (Buffer.byteLength(text) % 8)) % 8)), "utf8");
  writeWholeWith(path, (writePiece) => {
    const write = (piece: Uint8Array): void => {
      seen?.(piece);
      writePiece(piece);
    };
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    write(length);
    write(json);
    for (const tensor of tensors) {
      const elements = tensor.elements();
      if (elements.byteLength !== bytesOf(tensor)) {
        throw new Error(
          `tensor ${tensor.name}: ${elements.byteLength} bytes do not fill ${tensor.type} [${tensor.shape.join(", ")}]`,
        );
      }
      write(new Uint8Array(elements.buffer as ArrayBuffer, elements.byteOffset, elements.byteLength));
    }
  });
}

/** The name of shard `number` of `count`, as transformers names it: `model-00001-of-00003.safetensors`. */
export function shardName(path: string, number: number, count: number): string {
  const five = (n: number): string => String(n).padStart(5, "0");
  return basename(path).replace(/\.safetensors$/, `-${five(number)}-of-${five(count)}.safetensors`);
}

/**
 * As {@link writeSafetensors}, but in several files of at most `shardBytes` (a larger tensor has one to itself) with
 * an index beside them, where all would not fit one. Returns the names of the files written.
 */
export function writeShardedSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  shardBytes: number,
  metadata?: Readonly<Record<string, string>>,
): string[] {
  const shards: TensorToWrite[][] = [];
  let room = 0;
  for (const tensor of tensors) {
    if (shards.length === 0 || bytesOf(tensor) > room) {
      shards.push([]);
      room = shardBytes;
    }
    shards.at(-1)!.push(tensor);
    room -= bytesOf(tensor);
  }
  if (shards.length <= 1) {
    writeSafetensors(path, tensors, metadata);
    return [basename(path)];
  }
  const weightMap: Record<string, string> = {};
  const names = shards.map((shard, i) => {
    const name = shardName(path, i + 1, shards.length);
    writeSafetensors(join(dirname(path), name), shard, metadata);
    for (const tensor of shard) weightMap[tensor.name] = name;
    return name;
  });
  const total = tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  // The index is written last: it vouches for shards that are there.
  writeJsonWhole(`${path}.index.json`, { metadata: { total_size: total }, weight_map: weightMap });
  return [...names, `${basename(path)}.index.json`];
}
