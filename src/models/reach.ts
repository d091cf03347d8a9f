import { UserError } from "../base/errors.js";
import { gigabytes } from "../base/memory.js";
import { type Device, elementCount } from "../graph/index.js";

/** Whether a float32 array of this shape is larger than the device reaches. */
export const exceeds = (shape: readonly number[], { bindingLimit }: Device): boolean =>
  bindingLimit !== undefined && 4 * elementCount(shape) > bindingLimit;

/**
 * Refuses weights that the device does not reach as a whole, before any is read.
 * @param inStretches whether a weight lies there in stretches, or will
 * @param hint what to do about one that does not
 * @throws {UserError} naming the first of them
 */
export function checkReach(
  shapes: ReadonlyMap<string, readonly number[]>,
  device: Device,
  {
    inStretches = () => false,
    hint = () => "Use --device cpu.",
  }: { readonly inStretches?: (name: string) => boolean; readonly hint?: (name: string) => string } = {},
): void {
  for (const [name, shape] of shapes)
    if (exceeds(shape, device) && !inStretches(name))
      throw new UserError(
        `${name} is float32 [${shape.join(", ")}], ${gigabytes(4 * elementCount(shape))}: ${device.name} reaches no ` +
          `more than ${gigabytes(device.bindingLimit!)} of one array`,
        { hint: hint(name) },
      );
}
