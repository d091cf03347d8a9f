import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeWhole } from "../../base/files.js";
import { readJsonAs } from "../../base/json.js";
import type { TorchDtype } from "../checkpoint-weights.js";
import type { LoraSettings, QuantizationOptions, Weights } from "../weights.js";

/** The file beside an adapter that says what it was trained on; PEFT leaves it alone. */
export const ENVIRONMENT = "training_environment.json";

const schema = z.strictObject({
  format: z.literal(1, "is of another version of mmmlu-lab"),
  /** What the adapter was trained on: hub id or folder, and the hub's commit where there is one. */
  base: z.strictObject({ source: z.string(), revision: z.string().nullable() }),
  /** How the base's linear layers were held. */
  quantization: z.strictObject({
    kind: z.enum(["none", "fp4", "nf4", "int8"]),
    doubleQuantization: z.boolean(),
    blockSize: z.int().positive().nullable(),
  }),
  /** What the base's weights were cast to as they were read, before they were quantized. */
  torchDtype: z.enum(["float32", "float16"]).default("float32"),
  /** The type that products were computed in. */
  computeType: z.enum(["float32", "bfloat16", "float16"]),
});

export type TrainingEnvironment = z.infer<typeof schema>;

/** What a model's adapters were trained on. */
export function trainingEnvironment(weights: Weights, { base, revision }: LoraSettings): TrainingEnvironment {
  const { kind, doubleQuantization = false, blockSize } = weights.quantization;
  return {
    format: 1,
    base: { source: base, revision: revision ?? null },
    quantization: { kind, doubleQuantization, blockSize: blockSize ?? null },
    torchDtype: weights.torchDtype,
    computeType: weights.computeType,
  };
}

export function writeEnvironment(folder: string, environment: TrainingEnvironment): void {
  writeWhole(join(folder, ENVIRONMENT), `${JSON.stringify(environment, null, 2)}\n`);
}

/**
 * What the adapter in a folder was trained on; undefined where its folder does not tell.
 * @throws {UserError} where the file is there and cannot be read
 */
export async function readEnvironment(folder: string): Promise<TrainingEnvironment | undefined> {
  const path = join(folder, ENVIRONMENT);
  if (!existsSync(path)) return undefined;
  return readJsonAs(path, schema, {
    most: 1 << 20,
    hint: "Copy the adapter's folder again; or remove the file and say how the base is held with --quantization.",
  });
}

/** A quantization in words: `nf4 weights with double quantization`, `fp4 weights of float16 ones`. */
export function quantizationText(
  { kind, doubleQuantization, blockSize }: QuantizationOptions,
  torchDtype: TorchDtype = "float32",
): string {
  const of = torchDtype === "float32" ? "" : ` of ${torchDtype} ones`;
  if (kind === "none")
    return `weights that are not quantized${torchDtype === "float32" ? "" : `, rounded to ${torchDtype}`}`;
  const block = blockSize !== undefined && blockSize !== 64 ? ` in blocks of ${blockSize}` : "";
  return `${kind} weights${of}${block}${doubleQuantization ? " with double quantization" : ""}`;
}

/** How a base is held for an adapter, and why. */
export interface ChosenQuantization {
  readonly quantization: QuantizationOptions;
  /** What its weights are cast to before. */
  readonly torchDtype: TorchDtype;
  /** A sentence for who serves it. */
  readonly why: string;
}

/**
 * How the base of an adapter is held: as asked, else as in training, else not quantized; what differs from training is
 * said.
 * @throws {UserError} where the adapter's file on its training cannot be read
 */
export async function quantizationFor(
  adapter: string,
  asked: QuantizationOptions | undefined,
): Promise<ChosenQuantization> {
  const environment = await readEnvironment(adapter);
  if (!environment)
    return {
      quantization: asked ?? { kind: "none" },
      torchDtype: "float32",
      why: asked
        ? `the base is held as ${quantizationText(asked)}, as asked; the adapter's folder does not tell what it ` +
          `was trained on`
        : `the base is held as ${quantizationText({ kind: "none" })}: the adapter's folder does not tell what it ` +
          `was trained on. If that was quantized (QLoRA), say so: --quantization nf4 (or fp4, int8), with ` +
          `--double-quantization where it had that`,
    };
  const { torchDtype, quantization } = environment;
  const trained: QuantizationOptions = { ...quantization, blockSize: quantization.blockSize ?? undefined };
  const [own, other] = [trained, asked ?? trained].map((one) => quantizationText(one, torchDtype));
  if (own === other)
    return {
      quantization: trained,
      torchDtype,
      why: `the base is held as ${own}: the adapter was trained on such, says ${ENVIRONMENT}`,
    };
  return {
    quantization: asked!,
    torchDtype,
    why:
      `the base is held as ${other}, as asked, though the adapter was trained on ${own}: its answers are others ` +
      `than those that were measured`,
  };
}
