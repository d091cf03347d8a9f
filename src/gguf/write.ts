import { writeWholeWith } from "../base/files.js";
import { DEFAULT_ALIGNMENT, LIMITS, MAGIC, VALUE_TYPES, type ValueType } from "./header.js";
import { bytesOf, KINDS, type Kind } from "./kinds.js";

/** A value of metadata with its type in the file. */
export type WrittenValue =
  | { readonly type: Exclude<ValueType, "array" | "string" | "bool">; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "array"; readonly of: "string"; readonly value: readonly string[] }
  | { readonly type: "array"; readonly of: "float32" | "int32"; readonly value: readonly number[] };

/** A tensor to write. */
export interface GgufTensorToWrite {
  readonly name: string;
  readonly kind: Kind;
  /** As PyTorch has it. */
  readonly shape: readonly number[];
  /** Its bytes in pieces; asked for when it is written, so that one piece at a time need be in memory. */
  readonly pieces: () => Iterable<Uint8Array>;
}

const elementsOf = ({ shape }: GgufTensorToWrite): number => shape.reduce((product, size) => product * size, 1);
const padded = (bytes: number): number => Math.ceil(bytes / DEFAULT_ALIGNMENT) * DEFAULT_ALIGNMENT;

/**
 * Writes a GGUF file (version 3, little-endian) whole or not at all, with metadata and tensors in the order given, as
 * Python's `gguf` lays it out.
 * @throws {UserError} where it cannot be written (a full disk): nothing is left behind
 */
export function writeGguf(
  path: string,
  metadata: ReadonlyMap<string, WrittenValue>,
  tensors: readonly GgufTensorToWrite[],
): void {
  writeWholeWith(path, (write) => {
    const header = headerOf(metadata, tensors);
    write(header);
    write(new Uint8Array(padded(header.length) - header.length));
    for (const tensor of tensors) {
      const bytes = bytesOf(tensor.kind, elementsOf(tensor));
      let written = 0;
      for (const piece of tensor.pieces()) {
        write(piece);
        written += piece.length;
      }
      if (written !== bytes) throw new Error(`tensor ${tensor.name}: ${written} bytes, not ${bytes}`);
      write(new Uint8Array(padded(bytes) - bytes));
    }
  });
}

function headerOf(metadata: ReadonlyMap<string, WrittenValue>, tensors: readonly GgufTensorToWrite[]): Buffer {
  const parts: Buffer[] = [number("uint32", MAGIC), number("uint32", 3)];
  parts.push(number("uint64", tensors.length), number("uint64", metadata.size));
  for (const [key, value] of metadata) parts.push(text(key), ...valueBytes(value));
  const names = new Set<string>();
  let offset = 0;
  for (const tensor of tensors) {
    if (names.has(tensor.name) || Buffer.byteLength(tensor.name) >= 64)
      throw new Error(`the tensor's name ${tensor.name}`);
    names.add(tensor.name);
    parts.push(text(tensor.name), number("uint32", tensor.shape.length));
    for (const size of [...tensor.shape].reverse()) parts.push(number("uint64", size));
    parts.push(number("uint32", KINDS[tensor.kind].id), number("uint64", offset));
    offset += padded(bytesOf(tensor.kind, elementsOf(tensor)));
  }
  const header = Buffer.concat(parts);
  if (header.length > LIMITS.headerBytes) throw new Error(`a header of ${header.length} bytes`);
  return header;
}

function valueBytes(value: WrittenValue): Buffer[] {
  const type = number("uint32", VALUE_TYPES[value.type]);
  switch (value.type) {
    case "string":
      return [type, text(value.value)];
    case "bool":
      return [type, number("uint8", Number(value.value))];
    case "array": {
      const head = [type, number("uint32", VALUE_TYPES[value.of]), number("uint64", value.value.length)];
      if (value.of === "string") return [...head, Buffer.concat(value.value.map(text))];
      return [...head, Buffer.concat(value.value.map((one) => number(value.of as "float32" | "int32", one)))];
    }
    default:
      return [type, number(value.type, value.value)];
  }
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([number("uint64", bytes.length), bytes]);
}

function number(type: Exclude<ValueType, "array" | "string" | "bool">, value: number): Buffer {
  const out = Buffer.alloc(8);
  switch (type) {
    case "uint8":
      return out.subarray(0, out.writeUInt8(value));
    case "int8":
      return out.subarray(0, out.writeInt8(value));
    case "uint16":
      return out.subarray(0, out.writeUInt16LE(value));
    case "int16":
      return out.subarray(0, out.writeInt16LE(value));
    case "uint32":
      return out.subarray(0, out.writeUInt32LE(value));
    case "int32":
      return out.subarray(0, out.writeInt32LE(value));
    case "float32":
      return out.subarray(0, out.writeFloatLE(value));
    case "uint64":
      return out.subarray(0, out.writeBigUInt64LE(BigInt(value)));
    case "int64":
      return out.subarray(0, out.writeBigInt64LE(BigInt(value)));
    case "float64":
      return out.subarray(0, out.writeDoubleLE(value));
  }
}
