import { GraphError } from "./errors.js";
import { bfloat16Bits, float16Bits } from "./half-floats.js";

/** Element types of tensors. `bfloat16` exists inside graphs only (no array of it can be fed). */
export type ElementType =
  | "float32"
  | "float64"
  | "float16"
  | "bfloat16"
  | "int8"
  | "int16"
  | "int32"
  | "int64"
  | "uint8"
  | "uint16"
  | "uint32"
  | "uint64"
  | "bool";

/** Arrays that hold a tensor's elements; float16 is a Uint16Array of its bits, bool a Uint8Array of 0 and 1. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** The number that TensorProto.DataType gives each type, in bytes and the array that holds it. */
const TYPES = {
  float32: { code: 1, bytes: 4, array: Float32Array },
  uint8: { code: 2, bytes: 1, array: Uint8Array },
  int8: { code: 3, bytes: 1, array: Int8Array },
  uint16: { code: 4, bytes: 2, array: Uint16Array },
  int16: { code: 5, bytes: 2, array: Int16Array },
  int32: { code: 6, bytes: 4, array: Int32Array },
  int64: { code: 7, bytes: 8, array: BigInt64Array },
  bool: { code: 9, bytes: 1, array: Uint8Array },
  float16: { code: 10, bytes: 2, array: Uint16Array },
  float64: { code: 11, bytes: 8, array: Float64Array },
  uint32: { code: 12, bytes: 4, array: Uint32Array },
  uint64: { code: 13, bytes: 8, array: BigUint64Array },
  bfloat16: { code: 16, bytes: 2, array: Uint16Array },
} as const;

/** TensorProto.DataType of an element type. */
export function typeCode(type: ElementType): number {
  return TYPES[type].code;
}

/** Bytes of one element. */
export function bytesOf(type: ElementType): number {
  return TYPES[type].bytes;
}

/** Whether gradients flow through this type. */
export function isFloat(type: ElementType): boolean {
  return type === "float32" || type === "float64" || type === "float16" || type === "bfloat16";
}

/** A new array of zeros for so many elements. */
export function newArray(type: ElementType, length: number): TypedArray {
  return new TYPES[type].array(length);
}

/** A typed array over the beginning of memory that is there already. */
export function arrayOver(type: ElementType, buffer: ArrayBuffer, length: number): TypedArray {
  return new TYPES[type].array(buffer, 0, length);
}

/** The element type an array has where nothing else is said. */
export function typeOfArray(data: TypedArray): ElementType {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Float64Array) return "float64";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof BigInt64Array) return "int64";
  if (data instanceof Uint8Array) return "uint8";
  if (data instanceof Uint16Array) return "uint16";
  if (data instanceof Int8Array) return "int8";
  if (data instanceof Int16Array) return "int16";
  if (data instanceof Uint32Array) return "uint32";
  if (data instanceof BigUint64Array) return "uint64";
  throw new GraphError("Not a typed array");
}

/** Refuses an array whose class does not hold this type. */
export function checkArrayType(data: TypedArray, type: ElementType, what: string): void {
  if (!(data instanceof TYPES[type].array)) {
    throw new GraphError(`${what}: ${type} is held by a ${TYPES[type].array.name}, not by a ${data.constructor.name}`);
  }
}

/** An array of the type from plain numbers (float16 and bfloat16 by way of float32, rounding to nearest even). */
export function arrayFromNumbers(values: ArrayLike<number>, type: ElementType): TypedArray {
  if (type === "int64" || type === "uint64") {
    const out = newArray(type, values.length) as BigInt64Array | BigUint64Array;
    for (let i = 0; i < values.length; i++) out[i] = BigInt(values[i]!);
    return out;
  }
  if (type === "float16") return float16Bits(Float32Array.from(values));
  if (type === "bfloat16") return bfloat16Bits(Float32Array.from(values));
  const out = newArray(type, values.length) as Float32Array;
  out.set(values);
  return out;
}
