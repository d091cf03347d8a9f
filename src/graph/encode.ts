import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Attribute, Attributes } from "./attributes.js";
import { GraphError } from "./errors.js";
import { elementCount, type Shape } from "./shape.js";
import { bytesOf, type ElementType, type TypedArray, typeCode } from "./types.js";

/** A node as ONNX has it, after lowering: names only. "" stands for an input that is left out. */
export interface OnnxNode {
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

export interface OnnxTensorInfo {
  readonly name: string;
  readonly type: ElementType;
  /** Undefined: any rank. */
  readonly shape?: Shape;
}

export interface OnnxConstant {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: Shape;
  readonly data: TypedArray;
}

export interface OnnxGraph {
  readonly name: string;
  readonly opset: number;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxTensorInfo[];
  readonly outputs: readonly OnnxTensorInfo[];
  /** The name of a first output that is an empty sequence of tensors; none unless said. */
  readonly emptySequence?: string;
  readonly constants: readonly OnnxConstant[];
}

/** Field numbers of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). */
const FIELD = {
  model: { irVersion: 1, producer: 2, graph: 7, opsetImport: 8 },
  opset: { domain: 1, version: 2 },
  graph: { node: 1, name: 2, initializer: 5, input: 11, output: 12 },
  node: { input: 1, output: 2, name: 3, opType: 4, attribute: 5, domain: 7 },
  attribute: { name: 1, f: 2, i: 3, s: 4, ints: 8, type: 20 },
  tensor: { dims: 1, dataType: 2, name: 8, rawData: 9, externalData: 13, dataLocation: 14 },
  entry: { key: 1, value: 2 },
  valueInfo: { name: 1, type: 2 },
  type: { tensor: 1, sequence: 4 },
  sequenceType: { elementType: 1 },
  tensorType: { elementType: 1, shape: 2 },
  shape: { dimension: 1 },
  dimension: { value: 1, name: 2 },
} as const;

const IR_VERSION = 10;
/** TensorProto.DataLocation: the elements lie in another file. */
const EXTERNAL = 1;
const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, ints: 7 } as const;

function message(writer: BinaryWriter, field: number, body: () => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  body();
  writer.join();
}

function string(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function integer(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Varint).int64(value);
}

/** A graph as the bytes of an ONNX ModelProto. */
export function encodeModel(graph: OnnxGraph): Uint8Array {
  const w = new BinaryWriter();
  writeHead(w);
  message(w, FIELD.model.graph, () => writeGraph(w, graph));
  writeOpsets(w, graph);
  return w.finish();
}

/** A tensor that is stored in the graph and whose elements are made as they are written. */
export interface StoredTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Its elements, row by row, little-endian. */
  readonly pieces: () => Iterable<Uint8Array>;
  /** Where they lie instead of in the model: a file beside it. */
  readonly place?: { readonly file: string; readonly offset: number };
}

/** Bytes of its elements. */
export const storedBytes = ({ shape, type }: Pick<StoredTensor, "shape" | "type">): number =>
  elementCount(shape) * bytesOf(type);

/**
 * As {@link encodeModel}, in pieces, with further stored tensors: a model of any size never stands in memory. protobuf
 * reads none of 2 GiB or more: tensors beyond that lie beside it.
 */
export function* modelPieces(graph: OnnxGraph, stored: readonly StoredTensor[]): Generator<Uint8Array> {
  const rest = new BinaryWriter();
  writeGraph(rest, graph);
  const fields = rest.finish();
  const heads = stored.map(storedHead);
  const inside = stored.reduce((sum, tensor) => sum + (tensor.place ? 0 : storedBytes(tensor)), 0);
  const length = fields.length + heads.reduce((sum, head) => sum + head.length, 0) + inside;
  const w = new BinaryWriter();
  writeHead(w);
  yield w.tag(FIELD.model.graph, WireType.LengthDelimited).uint32(length).finish();
  yield fields;
  for (const [at, tensor] of stored.entries()) {
    yield heads[at]!;
    if (!tensor.place) yield* storedPieces(tensor);
  }
  const end = new BinaryWriter();
  writeOpsets(end, graph);
  yield end.finish();
}

/** A stored tensor's elements, their number checked. */
export function* storedPieces(tensor: StoredTensor): Generator<Uint8Array> {
  let written = 0;
  for (const piece of tensor.pieces()) {
    yield piece;
    written += piece.length;
  }
  if (written !== storedBytes(tensor))
    throw new GraphError(`${tensor.name}: ${written} bytes, not ${storedBytes(tensor)}`);
}

/** A stored tensor's field of the graph up to its elements, which follow at once. */
function storedHead(tensor: StoredTensor): Uint8Array {
  const { name, type, shape, place } = tensor;
  const body = new BinaryWriter();
  for (const dimension of shape) integer(body, FIELD.tensor.dims, dimension);
  integer(body, FIELD.tensor.dataType, typeCode(type));
  string(body, FIELD.tensor.name, name);
  const bytes = storedBytes(tensor);
  if (place) {
    for (const [key, value] of Object.entries({ location: place.file, offset: place.offset, length: bytes }))
      message(body, FIELD.tensor.externalData, () => {
        string(body, FIELD.entry.key, key);
        string(body, FIELD.entry.value, String(value));
      });
    integer(body, FIELD.tensor.dataLocation, EXTERNAL);
  } else body.tag(FIELD.tensor.rawData, WireType.LengthDelimited).uint32(bytes);
  const own = body.finish();
  const w = new BinaryWriter();
  w.tag(FIELD.graph.initializer, WireType.LengthDelimited).uint32(own.length + (place ? 0 : bytes));
  return Buffer.concat([w.finish(), own]);
}

function writeHead(w: BinaryWriter): void {
  integer(w, FIELD.model.irVersion, IR_VERSION);
  string(w, FIELD.model.producer, "graph");
}

function writeGraph(w: BinaryWriter, graph: OnnxGraph): void {
  for (const node of graph.nodes) message(w, FIELD.graph.node, () => writeNode(w, node));
  string(w, FIELD.graph.name, graph.name);
  for (const constant of graph.constants) message(w, FIELD.graph.initializer, () => writeTensor(w, constant));
  for (const input of graph.inputs) message(w, FIELD.graph.input, () => writeInfo(w, input));
  const { emptySequence } = graph;
  if (emptySequence !== undefined) {
    message(w, FIELD.graph.node, () =>
      writeNode(w, { op: "SequenceEmpty", domain: "", inputs: [], outputs: [emptySequence], attributes: {} }),
    );
    message(w, FIELD.graph.output, () => writeSequenceInfo(w, emptySequence));
  }
  for (const output of graph.outputs) message(w, FIELD.graph.output, () => writeInfo(w, output));
}

function writeOpsets(w: BinaryWriter, graph: OnnxGraph): void {
  for (const [domain, version] of [
    ["", graph.opset],
    ["com.microsoft", 1],
  ] as const) {
    message(w, FIELD.model.opsetImport, () => {
      string(w, FIELD.opset.domain, domain);
      integer(w, FIELD.opset.version, version);
    });
  }
}

function writeNode(w: BinaryWriter, node: OnnxNode): void {
  for (const input of node.inputs) string(w, FIELD.node.input, input);
  for (const output of node.outputs) string(w, FIELD.node.output, output);
  string(w, FIELD.node.name, node.outputs[0] ?? "");
  string(w, FIELD.node.opType, node.op);
  for (const [name, attribute] of Object.entries(node.attributes))
    message(w, FIELD.node.attribute, () => writeAttribute(w, name, attribute));
  if (node.domain) string(w, FIELD.node.domain, node.domain);
}

function writeAttribute(w: BinaryWriter, name: string, attribute: Attribute): void {
  string(w, FIELD.attribute.name, name);
  switch (attribute.kind) {
    case "int":
      integer(w, FIELD.attribute.i, attribute.value);
      break;
    case "float":
      w.tag(FIELD.attribute.f, WireType.Bit32).float(attribute.value);
      break;
    case "string":
      string(w, FIELD.attribute.s, attribute.value);
      break;
    case "ints":
      for (const value of attribute.value) integer(w, FIELD.attribute.ints, value);
  }
  integer(w, FIELD.attribute.type, ATTRIBUTE_TYPE[attribute.kind]);
}

function writeTensor(w: BinaryWriter, { name, type, shape, data }: OnnxConstant): void {
  for (const dimension of shape) integer(w, FIELD.tensor.dims, dimension as number);
  integer(w, FIELD.tensor.dataType, typeCode(type));
  string(w, FIELD.tensor.name, name);
  w.tag(FIELD.tensor.rawData, WireType.LengthDelimited).bytes(
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  );
}

function writeInfo(w: BinaryWriter, { name, type, shape }: OnnxTensorInfo): void {
  string(w, FIELD.valueInfo.name, name);
  message(w, FIELD.valueInfo.type, () => {
    message(w, FIELD.type.tensor, () => {
      integer(w, FIELD.tensorType.elementType, typeCode(type));
      if (!shape) return;
      message(w, FIELD.tensorType.shape, () => {
        for (const dimension of shape) {
          message(w, FIELD.shape.dimension, () => {
            if (typeof dimension === "number") integer(w, FIELD.dimension.value, dimension);
            else string(w, FIELD.dimension.name, dimension);
          });
        }
      });
    });
  });
}

/** A sequence of float32 tensors, of whatever shape. */
function writeSequenceInfo(w: BinaryWriter, name: string): void {
  string(w, FIELD.valueInfo.name, name);
  message(w, FIELD.valueInfo.type, () => {
    message(w, FIELD.type.sequence, () => {
      message(w, FIELD.sequenceType.elementType, () => {
        message(w, FIELD.type.tensor, () => integer(w, FIELD.tensorType.elementType, typeCode("float32")));
      });
    });
  });
}
