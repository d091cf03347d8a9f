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

/** A device that was lost, or had no memory left, while it worked: what lies in its memory is not to be trusted. */
export class DeviceFailure extends GraphError {
  constructor(
    message: string,
    readonly kind: "lost" | "memory",
    options: { hint?: string; cause?: unknown } = {},
  ) {
    super(message, options);
    this.name = "DeviceFailure";
  }
}
