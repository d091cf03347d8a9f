import type { Device, DeviceOptions } from "../device.js";

/** A kind of device: what its file in this folder declares, and the registry lists. */
export interface DeviceDefinition<Name extends string = string> {
  /** What `openDevice` knows it by. */
  readonly name: Name;
  /** What it is, in a sentence. */
  readonly summary: string;
  /** Why nothing is trained on it; absent where training works. */
  readonly notForTraining?: string;
  /** Whether it has products of 8-bit integers. */
  readonly int8Products: boolean;
  /** Opens it, with the runtime that it needs, or throws a GraphError that says why it is not there and what to do. */
  open(options: DeviceOptions): Promise<Device>;
}
