import type { Device, DeviceOptions } from "../device.js";
import type { Capabilities } from "../lower.js";
import type { Adapter } from "./adapters.js";

/** What graphs are written for, and arrays held to: enough to count what a device would do. */
export interface DeviceTraits extends Capabilities {
  readonly memory: Device["memory"];
  /** Bytes of the largest array that an operator reaches. */
  readonly bindingLimit?: number;
}

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
  /** The cards that it may run on, as the system tells of them; absent for one that runs on none. */
  readonly adapters?: () => Promise<Adapter[]>;
  /** Whether there is no use in opening it where the system tells of no such card. */
  readonly needsAdapter?: boolean;
  /** What it can do, where sums are made for it without opening it: see `openMetaDevice`. */
  readonly traits?: DeviceTraits;
  /** Opens it, with the runtime that it needs, or throws a GraphError that says why it is not there and what to do. */
  open(options: DeviceOptions): Promise<Device>;
}
