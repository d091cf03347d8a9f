import { UserError } from "../../base/errors.js";
import type { Device, DeviceArray, Value } from "../../graph/index.js";
import type { Example } from "../model.js";
import type { ModelGraph } from "../model-graph.js";
import { type PackedLayout, packedAttention } from "../packed-attention.js";
import {
  headPlaces,
  keyMask,
  MASKED,
  type PackedRows,
  packedPlaces,
  packRows,
  statePlaces,
  tokenMask,
  tokenPlaces,
} from "../packing.js";
import type { T5Config } from "./config.js";
import type { StateLayout } from "./cross-attention.js";
import type { EncoderInputs } from "./encoder.js";
import { positionBuckets } from "./position-bias.js";

/** Declares the inputs that describe packed encoder rows; {@link encoderFeeds} makes their arrays. */
export function encoderInputs(
  graph: ModelGraph,
  config: T5Config,
): EncoderInputs & { readonly layout: PackedLayout; readonly stateLayout: StateLayout } {
  const layout = {
    headPlaces: graph.input("headPlaces", "int32", ["B", config.numHeads, "L"]),
    packedPlaces: graph.input("packedPlaces", "int32", ["T", config.numHeads]),
    tokenMask: graph.input("tokenMask", "float32", ["B", 1, "L", 1]),
  };
  return {
    layout,
    attend: (on, q, k, v, options) => packedAttention(on, q, k, v, layout, options),
    buckets: graph.input("encoderBuckets", "int32", ["L", "L"]),
    keyMask: graph.input("keyMask", "float32", ["B", 1, 1, "L"]),
    stateLayout: {
      statePlaces: graph.input("statePlaces", "int32", ["B", "L"]),
      tokenPlaces: graph.input("tokenPlaces", "int32", ["T"]),
    },
  };
}

/** The arrays of {@link encoderInputs}. */
export function encoderFeeds(device: Device, packed: PackedRows, config: T5Config): Record<string, DeviceArray> {
  const { rows, longest, total } = packed;
  return {
    headPlaces: device.array(headPlaces(packed, config.numHeads), [rows, config.numHeads, longest]),
    packedPlaces: device.array(packedPlaces(packed, config.numHeads), [total, config.numHeads]),
    tokenMask: device.array(tokenMask(packed), [rows, 1, longest, 1]),
    encoderBuckets: device.array(positionBuckets(0, longest, longest, true, config), [longest, longest]),
    keyMask: device.array(keyMask(packed), [rows, 1, 1, longest]),
    statePlaces: device.array(statePlaces(packed), [rows, longest]),
    tokenPlaces: device.array(tokenPlaces(packed), [total]),
  };
}

/** Declares the inputs that describe N new decoder tokens after P earlier ones, S in all. */
export function decoderInputs(
  graph: ModelGraph,
  queries: number | string,
  keys: number | string,
): { readonly buckets: Value; readonly causalMask: Value } {
  return {
    buckets: graph.input("decoderBuckets", "int32", [queries, keys]),
    causalMask: graph.input("causalMask", "float32", [queries, keys]),
  };
}

/** The arrays of {@link decoderInputs}. */
export function decoderFeeds(
  device: Device,
  past: number,
  queries: number,
  config: T5Config,
): Record<string, DeviceArray> {
  const keys = past + queries;
  const mask = new Float32Array(queries * keys);
  for (let i = 0; i < queries; i++) mask.fill(MASKED, i * keys + past + i + 1, (i + 1) * keys);
  return {
    decoderBuckets: device.array(positionBuckets(past, queries, keys, false, config), [queries, keys]),
    causalMask: device.array(mask, [queries, keys]),
  };
}

/** Labelled examples as the training graph reads them. */
export interface LabelledBatch {
  readonly packed: PackedRows;
  /** N: decoder positions of each row. */
  readonly positions: number;
  /** The encoder's tokens, then B·N decoder tokens. */
  readonly tokens: Int32Array;
  /** Decoder places [row · N + position] that have a label. */
  readonly labelPlaces: Int32Array;
  readonly labels: Int32Array;
}

/**
 * Packs labelled examples: the decoder reads the start token and then each target but the last.
 * @throws {UserError} naming the row, where it is empty or has a token that the model has not.
 */
export function labelledBatch(examples: readonly Example[], config: T5Config): LabelledBatch {
  for (const { id, input, target } of examples) {
    checkTokens(id, input, config.vocabSize);
    checkTokens(id, target, config.vocabSize);
  }
  const packed = packRows(examples.map(({ input }) => input));
  const positions = Math.max(...examples.map(({ target }) => target.length));
  const tokens = new Int32Array(packed.total + examples.length * positions).fill(config.padTokenId);
  tokens.set(packed.tokens);
  const labels = examples.flatMap(({ target }) => target);
  const labelPlaces: number[] = [];
  examples.forEach(({ target }, row) => {
    const start = packed.total + row * positions;
    tokens[start] = config.decoderStartTokenId;
    tokens.set(target.slice(0, -1), start + 1);
    for (let place = 0; place < target.length; place++) labelPlaces.push(row * positions + place);
  });
  return { packed, positions, tokens, labelPlaces: Int32Array.from(labelPlaces), labels: Int32Array.from(labels) };
}

/** Refuses a row without tokens, or with one that the embedding has no row for. */
export function checkTokens(id: string, tokens: readonly number[], vocabSize: number): void {
  if (tokens.length === 0)
    throw new UserError(`row ${id} has no tokens`, { hint: "Leave the row out, or mend its text." });
  const wrong = tokens.find((token) => !Number.isInteger(token) || token < 0 || token >= vocabSize);
  if (wrong !== undefined) {
    throw new UserError(`row ${id} has the token ${wrong}, and the model has tokens 0 to ${vocabSize - 1}`, {
      hint: "The tokenizer does not fit the model: take the one that lies beside the weights.",
    });
  }
}
