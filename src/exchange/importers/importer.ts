import { UserError } from "../../base/errors.js";
import type { Result } from "../result.js";

/** How results of a tool are read: a file with one of these and a line in `index.ts`. */
export interface Importer {
  /** As messages name it. */
  readonly name: string;
  /** What it reads, in a sentence. */
  readonly reads: string;
  /** Whether a path is such a result: a look at names, no reading. */
  takes(path: string): boolean;
  /**
   * Reads it: a result for each stage (a filter, an epoch), in the order of the file; never none.
   * @throws {UserError} naming file and place where it is not as the tool writes it
   */
  read(path: string): Promise<readonly Result[]>;
}

/** Results that have rows. @throws {UserError} where none has: why each row was left out */
export function withRows(results: readonly Result[], path: string): readonly Result[] {
  const found = results.filter(({ predictions }) => predictions.length > 0);
  if (found.length) return found;
  const why = [...new Set(results.flatMap(({ notes }) => notes))].join(" ");
  throw new UserError(`${path} holds no row that can be used: ${why}`, {
    hint: "Read are multiple-choice questions with one right letter and a score for each.",
  });
}
