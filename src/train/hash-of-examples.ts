import { createHash } from "node:crypto";
import type { Example } from "../models/index.js";

/** The rows that a run is trained and validated on. */
export interface TrainingExamples {
  readonly train: readonly Example[];
  readonly validation?: readonly Example[];
}

/** SHA-256 over the tokens of all rows, in order: ids stay where a text is corrected, and steps would differ. */
export function hashOfExamples({ train, validation = [] }: TrainingExamples): string {
  const hash = createHash("sha256");
  for (const part of [train, validation]) {
    hash.update(Int32Array.of(part.length));
    for (const { input, target } of part)
      hash.update(Int32Array.from([input.length, target.length, ...input, ...target]));
  }
  return hash.digest("hex");
}
