import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../base/errors.js";
import { sha256 } from "../base/files.js";
import { faultOfName, joinInside } from "../base/inside.js";
import { readJsonAs } from "../base/json.js";
import { printableName } from "../base/printable.js";
import { elementCount, float16Bits, roundToFloat16 } from "../graph/index.js";
import { firstNotFinite, readsAsFloat32 } from "./float-formats.js";
import { SafetensorsFile, type StoredTensor } from "./safetensors.js";

/** Tensors and shards of a model at most: a hundred times what the largest have. */
const [MOST_TENSORS, MOST_SHARDS] = [200_000, 2000];

const indexSchema = z.looseObject({
  weight_map: z.record(
    z.string(),
    z.string().refine((shard) => !/[/\\]/.test(shard) && faultOfName(shard) === undefined, {
      error: ({ input }) => `has the place ${JSON.stringify(printableName(String(input)))}, not a file beside it`,
    }),
  ),
});

/**
 * The shards in which tensors lie, by the tensors' names, as a `*.safetensors.index.json` tells it.
 * @throws {UserError} where it is not as it should be, or a shard's name is none of a file beside it: before any is
 * fetched or opened
 */
export async function readShardMap(index: string): Promise<Readonly<Record<string, string>>> {
  const { weight_map: map } = await readJsonAs(index, indexSchema, { hint: "Download the model again." });
  const [tensors, shards] = [Object.keys(map).length, new Set(Object.values(map)).size];
  if (tensors === 0 || tensors > MOST_TENSORS || shards > MOST_SHARDS)
    throw new UserError(
      `${index} names ${tensors} tensors in ${shards} files; from 1 to ${MOST_TENSORS} in at most ` +
        `${MOST_SHARDS} are read`,
      { hint: "Is it a model's index? Download it again." },
    );
  return map;
}

/**
 * The error of a folder or repository without safetensors weights; it names the weights in another format that are
 * there.
 */
export function noWeights(where: string, base: string, has: (name: string) => boolean): UserError {
  const other = [
    `pytorch_${base}.bin`,
    `pytorch_${base}.bin.index.json`,
    `${base}.bin`,
    "flax_model.msgpack",
    "tf_model.h5",
  ].find(has);
  return new UserError(`${where} has neither ${base}.safetensors nor ${base}.safetensors.index.json`, {
    hint: other ? `It has ${other}: save the model in safetensors format first.` : "Is it a model's folder?",
  });
}

/**
 * What weights are cast to as they are read, before anything else is made of them (transformers' `torch_dtype`):
 * float32 keeps every stored value but float64's, float16 rounds.
 */
export type TorchDtype = "float32" | "float16";

/** Why a weight is refused, given the place of an element, and what to do. */
interface Refused {
  readonly what: (place: string) => string;
  readonly hint: string;
}

const NOT_FINITE: Refused = {
  what: (place) => `is not finite: its element [${place}] is NaN or infinite`,
  hint: "Its training or conversion went wrong, or the file is damaged: download or convert it again.",
};

const BEYOND_FLOAT16: Refused = {
  what: (place) => `does not fit float16: its element [${place}] is beyond 65,504`,
  hint: "Set model.torchDtype=float32.",
};

/** Rows of a tensor that are read at once where it is held in fewer bytes than float32. */
const ROWS_AT_ONCE = 4096;

/** A file of tensors: safetensors, or another format whose tensors are read as if they stood in one. */
export interface TensorFile {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  entry(name: string): StoredTensor;
  readBytes(name: string): Promise<Uint8Array>;
  readBytesNow(name: string): Uint8Array;
  readFloat32(name: string, memory?: Float32Array): Promise<Float32Array>;
  readRows(name: string, from: number, count: number): Promise<Float32Array>;
  readRowsNow(name: string, from: number, count: number): Float32Array;
  /** SHA-256 of the file. */
  sha256(): Promise<string>;
  close(): Promise<void>;
}

/**
 * The weights of a checkpoint folder, in one safetensors file or in shards with an index; read one tensor at a time.
 */
export class CheckpointWeights {
  private constructor(
    /** What the weights were opened from, for messages. */
    readonly source: string,
    private readonly files: readonly TensorFile[],
    private readonly places: ReadonlyMap<string, TensorFile>,
    /** What they are read as. */
    readonly torchDtype: TorchDtype,
  ) {}

  /**
   * Opens `<base>.safetensors`, or the shards that `<base>.safetensors.index.json` names.
   * @param base `model`, or `adapter_model` for a PEFT adapter
   * @throws {UserError} where neither is there, a shard is missing or unsound, or the index and the shards disagree.
   */
  static async open(folder: string, base = "model", torchDtype: TorchDtype = "float32"): Promise<CheckpointWeights> {
    const single = join(folder, `${base}.safetensors`);
    const index = `${single}.index.json`;
    if (existsSync(single)) {
      return CheckpointWeights.of(await SafetensorsFile.open(single), torchDtype);
    }
    if (!existsSync(index)) {
      throw noWeights(folder, base, (name) => existsSync(join(folder, name)));
    }
    return CheckpointWeights.openShards(folder, index, torchDtype);
  }

  /** All weights in one file, whose format may be another. */
  static of(file: TensorFile, torchDtype: TorchDtype = "float32"): CheckpointWeights {
    const places = new Map([...file.tensors.keys()].map((name) => [name, file]));
    return new CheckpointWeights(file.path, [file], places, torchDtype);
  }

  private static async openShards(folder: string, index: string, torchDtype: TorchDtype): Promise<CheckpointWeights> {
    const map = await readShardMap(index);
    const shards = new Map<string, SafetensorsFile>();
    const places = new Map<string, SafetensorsFile>();
    try {
      for (const [name, shard] of Object.entries(map)) {
        let file = shards.get(shard);
        if (!file) {
          const path = joinInside(folder, shard);
          if (!existsSync(path))
            throw new UserError(`${index} names ${shard}, which is not there`, {
              hint: "Download the missing shard, or the whole model again.",
            });
          shards.set(shard, (file = await SafetensorsFile.open(path)));
        }
        if (!file.tensors.has(name))
          throw new UserError(`${index} says that tensor ${name} lies in ${shard}, and it does not`, {
            hint: "Index and shards do not belong together: download the whole model again.",
          });
        places.set(name, file);
      }
    } catch (error) {
      for (const file of shards.values()) await file.close();
      throw error;
    }
    return new CheckpointWeights(index, [...shards.values()], places, torchDtype);
  }

  /** Names of all tensors, in the files' order. */
  get names(): string[] {
    return [...this.places.keys()];
  }

  /** Elements of all tensors. */
  get elements(): number {
    return this.names.reduce((sum, name) => sum + elementCount(this.entry(name).shape), 0);
  }

  has(name: string): boolean {
    return this.places.has(name);
  }

  /**
   * A tensor's entry; where a shape is given, it and that it is of floats are checked.
   * @throws {UserError} naming the tensor, what was expected and what was found.
   */
  entry(name: string, shape?: readonly number[]): StoredTensor {
    const file = this.places.get(name);
    const expected = shape ? ` [${shape.join(", ")}]` : "";
    if (!file)
      throw new UserError(`${this.source} has no weight ${name}${expected}`, {
        hint: "Does config.json belong to these weights?",
      });
    const entry = file.entry(name);
    if (shape && !readsAsFloat32(entry.type))
      throw new UserError(`${this.source}: the weight ${name} is ${entry.type}, not F32, F16, BF16 or F64`, {
        hint: "Weights that are stored quantized are not supported: take the model as it was before.",
      });
    if (shape && (entry.shape.length !== shape.length || entry.shape.some((size, axis) => size !== shape[axis]))) {
      throw new UserError(
        `${this.source}: the weight ${name} has the shape [${entry.shape.join(", ")}]; config.json asks for ` +
          `[${shape.join(", ")}]`,
        {
          hint: "Does config.json belong to these weights?",
        },
      );
    }
    return entry;
  }

  /**
   * A tensor as float32, in given memory where it is large enough; its values are those of {@link torchDtype}.
   * @throws {UserError} as {@link entry}; and where its type is no float, or an element is NaN or infinite
   */
  async readFloat32(name: string, shape?: readonly number[], memory?: Float32Array): Promise<Float32Array> {
    const { type } = this.entry(name, shape);
    const elements = await this.places.get(name)!.readFloat32(name, memory);
    this.refuseNotFinite(name, elements);
    if (this.torchDtype === "float16" && type !== "F16") {
      roundToFloat16(elements);
      this.refuseNotFinite(name, elements, BEYOND_FLOAT16);
    }
    return elements;
  }

  /**
   * A tensor's float16 words, rounded where it is stored as something else; some rows at a time are held as float32.
   * @throws {UserError} as {@link readFloat32}
   */
  async readFloat16(name: string): Promise<Uint16Array> {
    const { shape } = this.entry(name);
    const rows = shape[0] ?? 1;
    const width = elementCount(shape.slice(1));
    const words = new Uint16Array(rows * width);
    for (let from = 0; from < rows; from += ROWS_AT_ONCE) {
      const elements = await this.places.get(name)!.readRows(name, from, Math.min(ROWS_AT_ONCE, rows - from));
      this.refuseNotFinite(name, elements, undefined, from * width);
      const part = float16Bits(elements, words.subarray(from * width, from * width + elements.length));
      const beyond = part.findIndex((word) => (word & 0x7c00) === 0x7c00);
      if (beyond >= 0) this.refuse(name, from * width + beyond, BEYOND_FLOAT16);
    }
    return words;
  }

  /** As {@link readRows}, at once. @throws {UserError} as {@link readFloat32} */
  readRowsNow(name: string, from: number, count: number): Float32Array {
    this.entry(name);
    const rows = this.places.get(name)!.readRowsNow(name, from, count);
    this.refuseNotFinite(name, rows, undefined, from * elementCount(this.entry(name).shape.slice(1)));
    return rows;
  }

  /** The words of a bfloat16 tensor. @throws {UserError} as {@link readFloat32} */
  async readBfloat16(name: string): Promise<Uint16Array> {
    const bytes = await this.readBytes(name);
    const words = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
    this.refuseNotFinite(name, words);
    return words;
  }

  /** @param offset of the elements in the tensor */
  private refuseNotFinite(name: string, elements: Float32Array | Uint16Array, why?: Refused, offset = 0): void {
    const at = firstNotFinite(elements);
    if (at >= 0) this.refuse(name, offset + at, why);
  }

  private refuse(name: string, at: number, { what, hint }: Refused = NOT_FINITE): never {
    const { shape } = this.entry(name);
    const place: number[] = [];
    for (let axis = shape.length - 1, rest = at; axis >= 0; rest = Math.floor(rest / shape[axis]!), axis--)
      place.unshift(rest % shape[axis]!);
    throw new UserError(`${this.source}: the weight ${name} ${what(place.join(", "))}`, { hint });
  }

  /**
   * Refuses weights that a model of this architecture does not have: without them it would compute something else.
   * @param harmless names of tensors that are stored at times and change nothing
   * @throws {UserError} naming them
   */
  refuseOthers(known: { has(name: string): boolean }, harmless: RegExp): void {
    const others = this.names.filter((name) => !known.has(name) && !harmless.test(name));
    if (others.length === 0) return;
    const more = others.length > 4 ? ` and ${others.length - 4} more` : "";
    throw new UserError(
      `${this.source} has weights that config.json's model has not: ${others.slice(0, 4).join(", ")}${more}`,
      { hint: "The model would compute something else without them. Does config.json belong to these weights?" },
    );
  }

  /** Whether two tensors have the same elements; reads some rows at a time. */
  async same(name: string, other: string): Promise<boolean> {
    const [a, b] = [this.entry(name), this.entry(other)];
    if (JSON.stringify(a.shape) !== JSON.stringify(b.shape)) return false;
    const rows = a.shape[0] ?? 1;
    for (let from = 0; from < rows; from += 1024) {
      const count = Math.min(1024, rows - from);
      const [left, right] = [await this.readRows(name, from, count), await this.readRows(other, from, count)];
      if (left.some((value, i) => value !== right[i])) return false;
    }
    return true;
  }

  /** Some rows of a tensor as float32. */
  async readRows(name: string, from: number, count: number): Promise<Float32Array> {
    this.entry(name);
    return this.places.get(name)!.readRows(name, from, count);
  }

  /** A tensor's bytes as stored. */
  async readBytes(name: string): Promise<Uint8Array> {
    this.entry(name);
    return this.places.get(name)!.readBytes(name);
  }

  /** As {@link readBytes}, at once. */
  readBytesNow(name: string): Uint8Array {
    this.entry(name);
    return this.places.get(name)!.readBytesNow(name);
  }

  /** SHA-256 of the weights' files: what tells a folder's weights apart, which no commit names. */
  async sha256(): Promise<string> {
    const hashes = [];
    for (const file of this.files) hashes.push(await file.sha256());
    return hashes.length === 1 ? hashes[0]! : sha256(hashes.join("\n"));
  }

  async close(): Promise<void> {
    for (const file of this.files) await file.close();
  }
}
