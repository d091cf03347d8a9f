/** What is wrong with a graph, its inputs or its device, where it was built, and what to do. */
export class GraphError extends Error {
  /** What to do about it, in a sentence. */
  readonly hint?: string;

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "GraphError";
    this.hint = options.hint;
  }
}
