import type { GraphBuilder } from "./builder.js";
import { modelPieces, type OnnxTensorInfo, type StoredTensor, storedBytes, storedPieces } from "./encode.js";
import { lowered } from "./lower.js";
import { type Dimension, factorsOf } from "./shape.js";

/** A file in pieces, which are made as they are written. */
export interface FileInPieces {
  readonly name: string;
  readonly pieces: () => Iterable<Uint8Array>;
}

export interface ModelFileOptions {
  /** The model's name, such as `model.onnx`. */
  readonly name: string;
  /** Inputs of the graph whose elements are stored instead of being fed, by their names; those that it has not are left. */
  readonly stored: ReadonlyMap<string, Omit<StoredTensor, "name" | "place">>;
  /** What names of dimensions are called in the file. */
  readonly dimensions?: Readonly<Record<string, string>>;
  /** Bytes that all stored tensors may have for them to lie in the model itself; protobuf reads files under 2 GiB. */
  readonly mostInside?: number;
  /** Bytes of a file beside it at most; a larger tensor has one to itself. */
  readonly mostBeside?: number;
}

const GIB = 2 ** 30;
/** Offsets of tensors in a file beside the model: whole pages, so that it can be mapped. */
const PAGE = 4096;

/**
 * A graph as an ONNX model for other programs, in the operators that all of the runtime's devices have. Tensors that
 * are too many for one file lie in others beside it, named `<name>_data`, `<name>_data_1` and so on.
 * @returns the model first
 */
export function modelFiles(graph: GraphBuilder, options: ModelFileOptions): FileInPieces[] {
  const { name, dimensions = {}, mostInside = 1.9 * GIB, mostBeside = 1.9 * GIB } = options;
  // Of the runtime's own, and only on the CPU: it makes it of the others by itself.
  const { graph: onnx } = lowered(graph, { missing: ["FusedMatMul"], outputsInPlace: false });
  const stored: StoredTensor[] = onnx.inputs.flatMap(({ name: input }) => {
    const tensor = options.stored.get(input);
    return tensor ? [{ ...tensor, name: input }] : [];
  });
  const names = new Set(stored.map((tensor) => tensor.name));
  const renamed = (info: OnnxTensorInfo): OnnxTensorInfo => ({
    ...info,
    shape: info.shape?.map((dimension) => renamedDimension(dimension, dimensions)),
  });
  const whole = {
    ...onnx,
    inputs: onnx.inputs.filter((input) => !names.has(input.name)).map(renamed),
    outputs: onnx.outputs.map(renamed),
  };
  if (stored.reduce((sum, tensor) => sum + storedBytes(tensor), 0) <= mostInside)
    return [{ name, pieces: () => modelPieces(whole, stored) }];
  const files = placed(stored, name, mostBeside);
  return [
    {
      name,
      pieces: () =>
        modelPieces(
          whole,
          files.flatMap(({ tensors }) => tensors),
        ),
    },
    ...files.map(({ name, tensors }) => ({ name, pieces: () => besidePieces(tensors) })),
  ];
}

function renamedDimension(dimension: Dimension, names: Readonly<Record<string, string>>): Dimension {
  if (typeof dimension === "number") return dimension;
  const { factor, names: own } = factorsOf(dimension);
  return [...(factor === 1 ? [] : [factor]), ...own.map((name) => names[name] ?? name)].join("*");
}

function placed(
  stored: readonly StoredTensor[],
  model: string,
  most: number,
): { readonly name: string; readonly tensors: StoredTensor[] }[] {
  const files: { name: string; tensors: StoredTensor[]; bytes: number }[] = [];
  for (const tensor of stored) {
    const bytes = storedBytes(tensor);
    let file = files.at(-1);
    if (!file || padded(file.bytes) + bytes > most) {
      file = { name: `${model}_data${files.length === 0 ? "" : `_${files.length}`}`, tensors: [], bytes: 0 };
      files.push(file);
    }
    const offset = padded(file.bytes);
    file.tensors.push({ ...tensor, place: { file: file.name, offset } });
    file.bytes = offset + bytes;
  }
  return files;
}

const padded = (bytes: number): number => Math.ceil(bytes / PAGE) * PAGE;

function* besidePieces(tensors: readonly StoredTensor[]): Generator<Uint8Array> {
  let at = 0;
  for (const tensor of tensors) {
    yield new Uint8Array(tensor.place!.offset - at);
    yield* storedPieces(tensor);
    at = tensor.place!.offset + storedBytes(tensor);
  }
}
