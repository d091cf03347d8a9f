import { UserError } from "../base/errors.js";

/** Kinds of tensors that are read, by ggml's names: their number in a file, elements of a block and its bytes. */
export const KINDS = {
  F32: { id: 0, elements: 1, bytes: 4 },
  F16: { id: 1, elements: 1, bytes: 2 },
  Q4_0: { id: 2, elements: 32, bytes: 18 },
  Q4_1: { id: 3, elements: 32, bytes: 20 },
  Q5_0: { id: 6, elements: 32, bytes: 22 },
  Q5_1: { id: 7, elements: 32, bytes: 24 },
  Q8_0: { id: 8, elements: 32, bytes: 34 },
  Q4_K: { id: 12, elements: 256, bytes: 144 },
  Q5_K: { id: 13, elements: 256, bytes: 176 },
  Q6_K: { id: 14, elements: 256, bytes: 210 },
  BF16: { id: 30, elements: 1, bytes: 2 },
} as const;
export type Kind = keyof typeof KINDS;

/** Kinds that ggml has and that are not read here, so that an error can name them. */
const OTHER_KINDS: Readonly<Record<number, string>> = {
  9: "Q8_1",
  10: "Q2_K",
  11: "Q3_K",
  15: "Q8_K",
  16: "IQ2_XXS",
  17: "IQ2_XS",
  18: "IQ3_XXS",
  19: "IQ1_S",
  20: "IQ4_NL",
  21: "IQ3_S",
  22: "IQ2_S",
  23: "IQ4_XS",
  24: "I8",
  25: "I16",
  26: "I32",
  27: "I64",
  28: "F64",
  29: "IQ1_M",
  34: "TQ1_0",
  35: "TQ2_0",
  39: "MXFP4",
  40: "NVFP4",
};

const BY_ID = new Map<number, Kind>(Object.entries(KINDS).map(([name, { id }]) => [id, name as Kind]));

/**
 * The kind of a number in a file.
 * @param tensor what is stored so, for the message
 * @throws {UserError} naming the kind where it is none that is read
 */
export function kindOf(id: number, path: string, tensor: string): Kind {
  const kind = BY_ID.get(id);
  if (kind) return kind;
  throw new UserError(
    `${path}: tensor ${tensor} is stored as ${OTHER_KINDS[id] ?? `the unknown kind ${id}`}, which is not supported`,
    {
      hint:
        `Supported: ${Object.keys(KINDS).join(", ")}. Take a file of the model in one of those (Q4_K_M, ` +
        `Q8_0, F16 …).`,
    },
  );
}

/** Bytes of so many elements, a whole number of blocks. */
export const bytesOf = (kind: Kind, elements: number): number => (elements / KINDS[kind].elements) * KINDS[kind].bytes;
