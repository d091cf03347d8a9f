import { DeviceFailure, GraphError } from "../errors.js";

/** What the runtime and Dawn say where a device is gone, or a call on it came back with nothing. */
const LOST = /device (?:was |is )?lost|DeviceLost|MapAsyncStatus value|instance dropped/i;

/** What they say where there is no memory. */
const NO_MEMORY =
  /out of memory|OutOfMemory|bad allocation|bad_alloc|Failed to allocate memory|Failed to create GPU buffer|VK_ERROR_OUT_OF/i;

/** What went wrong with a device, by the runtime's message. */
export function failureOf(message: string): DeviceFailure["kind"] | undefined {
  // A device that is lost for want of memory has lost what it held.
  if (NO_MEMORY.test(message)) return "memory";
  return LOST.test(message) ? "lost" : undefined;
}

/** The error for something that the runtime could not do on a device. */
export function runtimeError(what: string, device: string, cause: unknown): GraphError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const kind = failureOf(message);
  if (!kind) return new GraphError(`${what}: ${message}`, { cause });
  return new DeviceFailure(
    `${what}: the device ${device} ${kind === "lost" ? "was lost" : "has no memory left"} (${message})`,
    kind,
    {
      hint:
        kind === "lost"
          ? "Run it again; where it is lost again, look at the driver's log, or use --device cpu."
          : "Let other programs free its memory, take smaller batches, or use --device cpu.",
      cause,
    },
  );
}
