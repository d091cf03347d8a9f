import { Tensor } from "onnxruntime-node";
import type { DeviceArray } from "../device.js";
import { GraphError } from "../errors.js";
import { elementCount, showShape } from "../shape.js";
import { bytesOf, checkArrayType, type ElementType, type TypedArray } from "../types.js";
import type { MemoryPool } from "./memory-pool.js";

/** A device array over one of the runtime's tensors. */
export class TensorArray implements DeviceArray {
  readonly size: number;
  /** Kept, since a disposed tensor says that it lies nowhere. */
  readonly onDevice: boolean;
  private disposed = false;
  /** Whether `data` was handed out: who has it may read it after `dispose`. */
  private seen = false;

  constructor(
    readonly tensor: Tensor,
    readonly type: ElementType,
    readonly shape: readonly number[],
    /** Where its memory came from and goes back to. */
    private readonly pool?: MemoryPool,
  ) {
    this.size = elementCount(shape);
    this.onDevice = tensor.location === "gpu-buffer";
  }

  get bytes(): number {
    return this.size * bytesOf(this.type);
  }

  get data(): TypedArray {
    this.seen = true;
    return this.elements;
  }

  /** `data` for this engine itself, which does not hold on to it. */
  get elements(): TypedArray {
    this.check();
    // Reading a gpu-buffer tensor's data ends the process in this runtime.
    if (this.onDevice)
      throw new GraphError(`An array ${showShape(this.shape)} lies in the device's memory`, {
        hint: "Read it with device.read(array).",
      });
    const data = this.tensor.data as TypedArray;
    return this.type === "float16" && !(data instanceof Uint16Array) ? asUint16(data) : data;
  }

  /** Refuses use after `dispose`. */
  check(): void {
    if (this.disposed) throw new GraphError(`An array ${showShape(this.shape)} is used after it was disposed of`);
  }

  /** On the CPU only an array from a pool that nobody has looked into is disposed of; another stays as it is. */
  dispose(): void {
    if (this.disposed || (!this.onDevice && (!this.pool || this.seen))) return;
    this.pool?.give((this.tensor.data as TypedArray).buffer as ArrayBuffer);
    this.disposed = true;
    if (this.onDevice) this.tensor.dispose();
  }
}

/** Newer Nodes give float16 as a Float16Array. */
function asUint16(data: ArrayBufferView & { readonly length?: number }): Uint16Array {
  return new Uint16Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength / 2);
}

/** Wraps a typed array without copying it. */
export function wrap(data: TypedArray, shape: readonly number[], type: ElementType, pool?: MemoryPool): TensorArray {
  if (type === "bfloat16") throw new GraphError("bfloat16 arrays cannot be fed: feed uint16 and use bitCast");
  checkArrayType(data, type, "array");
  if (elementCount(shape) !== data.length)
    throw new GraphError(`${data.length} elements do not fill ${showShape(shape)}`);
  if (typeof SharedArrayBuffer !== "undefined" && (data.buffer as ArrayBufferLike) instanceof SharedArrayBuffer) {
    throw new GraphError("An array on a SharedArrayBuffer cannot be fed to the runtime", {
      hint: "Copy it into an ordinary typed array.",
    });
  }
  return new TensorArray(new Tensor(type as Tensor.Type, data as Tensor.DataType, shape), type, shape, pool);
}

/** The array as this engine's own; refuses others. */
export function own(array: DeviceArray, what: string): TensorArray {
  if (!(array instanceof TensorArray)) throw new GraphError(`${what} is not an array made by a device`);
  array.check();
  return array;
}
