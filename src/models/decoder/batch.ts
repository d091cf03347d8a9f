import { UserError } from "../../base/errors.js";
import type { Device, DeviceArray } from "../../graph/index.js";
import type { Example } from "../model.js";
import type { ModelGraph } from "../model-graph.js";
import { headPlaces, MASKED, type PackedRows, packedPlaces, packRows, positions, tokenMask } from "../packing.js";
import type { DecoderConfig, LayerType } from "./config.js";
import type { LayerInputs } from "./layer.js";
import { ropeAngles } from "./rope.js";
import type { RopeParameters } from "./rope-parameters.js";

/** Declares the inputs that describe packed rows; {@link rowFeeds} makes their arrays. */
export function rowInputs(
  graph: ModelGraph,
  { numAttentionHeads, numKeyValueHeads, headDim }: DecoderConfig,
): LayerInputs {
  const tokenMask = graph.input("tokenMask", "float32", ["B", 1, "L", 1]);
  const layout = (name: string, count: number) => ({
    headPlaces: graph.input(`${name}HeadPlaces`, "int32", ["B", count, "L"]),
    packedPlaces: graph.input(`${name}PackedPlaces`, "int32", ["T", count]),
    tokenMask,
  });
  return {
    layout: layout("query", numAttentionHeads),
    keyValueLayout: layout("keyValue", numKeyValueHeads),
    cos: graph.input("cos", "float32", ["T", 1, headDim / 2]),
    sin: graph.input("sin", "float32", ["T", 1, headDim / 2]),
    mask: graph.input("mask", "float32", ["L", "L"]),
  };
}

/** Arrays of {@link rowInputs}: those of all layers, and the mask, cosines and sines of each type of layer. */
export interface RowFeeds {
  readonly common: Readonly<Record<string, DeviceArray>>;
  readonly ofType: Readonly<Record<LayerType, Readonly<Record<string, DeviceArray>>>>;
}

/** The arrays in the device's memory, each sent once: all layers read them. */
export async function uploadedRowFeeds(device: Device, packed: PackedRows, config: DecoderConfig): Promise<RowFeeds> {
  const { common, ofType } = rowFeeds(device, packed, config);
  const sent = new Map<DeviceArray, DeviceArray>();
  const upload = async (feeds: Readonly<Record<string, DeviceArray>>): Promise<Record<string, DeviceArray>> => {
    const there: Record<string, DeviceArray> = {};
    for (const [name, array] of Object.entries(feeds)) {
      if (!sent.has(array)) sent.set(array, await device.upload(array, name));
      there[name] = sent.get(array)!;
    }
    return there;
  };
  const used = new Set(config.layerTypes);
  const types: Record<LayerType, Record<string, DeviceArray>> = { full_attention: {}, sliding_attention: {} };
  for (const type of used) types[type] = await upload(ofType[type]);
  return { common: await upload(common), ofType: types };
}

/** Frees what {@link uploadedRowFeeds} sent. */
export function disposeRowFeeds(device: Device, { common, ofType }: RowFeeds): void {
  for (const feeds of [common, ...Object.values(ofType)])
    for (const array of Object.values(feeds)) device.dispose(array);
}

function rowFeeds(device: Device, packed: PackedRows, config: DecoderConfig): RowFeeds {
  const { rows, longest, total } = packed;
  const { numAttentionHeads, numKeyValueHeads } = config;
  const places = (name: string, count: number): Record<string, DeviceArray> => ({
    [`${name}HeadPlaces`]: device.array(headPlaces(packed, count), [rows, count, longest]),
    [`${name}PackedPlaces`]: device.array(packedPlaces(packed, count), [total, count]),
  });
  const ropes = ropeFeeds(device, positions(packed), config);
  const whole = device.array(causalMask(longest, null), [longest, longest]);
  const windowed =
    config.slidingWindow !== null && config.slidingWindow < longest
      ? device.array(causalMask(longest, config.slidingWindow), [longest, longest])
      : whole;
  return {
    common: {
      ...places("query", numAttentionHeads),
      ...places("keyValue", numKeyValueHeads),
      tokenMask: device.array(tokenMask(packed), [rows, 1, longest, 1]),
    },
    ofType: {
      full_attention: { ...ropes.full_attention, mask: whole },
      sliding_attention: { ...ropes.sliding_attention, mask: windowed },
    },
  };
}

/** Cosines and sines at some positions for each type of layer, made once where the types do not differ. */
export function ropeFeeds(
  device: Device,
  at: ArrayLike<number>,
  { headDim, ropeParameters: { full_attention, sliding_attention } }: DecoderConfig,
): Record<LayerType, Record<"cos" | "sin", DeviceArray>> {
  const make = (rope: RopeParameters): Record<"cos" | "sin", DeviceArray> => {
    const { cos, sin } = ropeAngles(at, headDim, rope);
    const shape = [at.length, 1, headDim / 2];
    return { cos: device.array(cos, shape), sin: device.array(sin, shape) };
  };
  const full = make(full_attention);
  return {
    full_attention: full,
    sliding_attention: sliding_attention === full_attention ? full : make(sliding_attention),
  };
}

/**
 * [longest, longest]: 0 where a query (row) reads a key, MASKED where it does not. A row's padding is later than all
 * its queries.
 */
function causalMask(longest: number, window: number | null): Float32Array {
  const mask = new Float32Array(longest * longest).fill(MASKED);
  for (let query = 0; query < longest; query++)
    mask.fill(0, query * longest + Math.max(0, window === null ? 0 : query - window + 1), query * longest + query + 1);
  return mask;
}

/** Examples as rows of prompt and target, with the places whose next token has a label. */
export interface LabelledRows {
  readonly packed: PackedRows;
  /** Packed tokens whose logits are needed. */
  readonly labelPlaces: Int32Array;
  readonly labels: Int32Array;
}

/**
 * Prompt and target one behind the other, without the last token, whose logits nobody needs. Positions count from each
 * row's own first token: padding on the left, as the published run has it, moves them all alike, and rotary attention
 * only sees distances.
 * @throws {UserError} where a row is empty, too long, or has a token that the model has not
 */
export function labelledRows(examples: readonly Example[], config: DecoderConfig): LabelledRows {
  const places: number[] = [];
  const labels: number[] = [];
  let at = 0;
  const rows = examples.map(({ id, input, target }) => {
    const row = [...input, ...target];
    checkTokens(`the row ${id}`, row, config);
    if (input.length === 0 || target.length === 0)
      throw new UserError(`the row ${id} has no ${input.length === 0 ? "prompt" : "target"}`, {
        hint: "Leave the row out, or mend its text.",
      });
    target.forEach((token, i) => {
      places.push(at + input.length - 1 + i);
      labels.push(token);
    });
    row.pop();
    at += row.length;
    return row;
  });
  return { packed: packRows(rows), labelPlaces: Int32Array.from(places), labels: Int32Array.from(labels) };
}

/** @throws {UserError} where a row is longer than the model takes, or has a token that it has not */
export function checkTokens(
  what: string,
  row: readonly number[],
  { vocabSize, maxPositionEmbeddings }: DecoderConfig,
): void {
  if (row.length > maxPositionEmbeddings)
    throw new UserError(`${what} has ${row.length} tokens, and the model takes ${maxPositionEmbeddings}`, {
      hint: "Filter longer rows out (filter.maxTokens).",
    });
  const outside = row.find((token) => token < 0 || token >= vocabSize);
  if (outside !== undefined)
    throw new UserError(`${what} has the token ${outside}, and the model only ${vocabSize}`, {
      hint: "Use the tokenizer that belongs to the model.",
    });
}
