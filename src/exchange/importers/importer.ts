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
