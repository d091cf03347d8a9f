import type { Device, DeviceOptions } from "../device.js";
import { GraphError } from "../errors.js";
import type { Adapter } from "./adapters.js";
import { cpu } from "./cpu.js";
import { cuda } from "./cuda.js";
import type { DeviceDefinition } from "./definition.js";
import { webgpu } from "./webgpu.js";

/** Every device that there is: a new one is a file in this folder and a name here. */
export const DEVICES = [cpu, webgpu, cuda] as const;

/** A device by name. */
export type DeviceName = (typeof DEVICES)[number]["name"];

/** The devices' names, the default first. */
export const DEVICE_NAMES = DEVICES.map(({ name }) => name) as [DeviceName, ...DeviceName[]];

/** What a user may ask for: a device, or that one be chosen. */
export const DEVICE_CHOICES = [...DEVICE_NAMES, "auto"] as [DeviceName | "auto", ...(DeviceName | "auto")[]];
export type DeviceChoice = (typeof DEVICE_CHOICES)[number];

/** What a device is; a GraphError that lists the devices where there is none of that name. */
export function deviceDefinition(name: string): DeviceDefinition<DeviceName> {
  const found = DEVICES.find((device) => device.name === name);
  if (!found)
    throw new GraphError(`There is no device named ${String(name)}`, { hint: `Devices: ${DEVICE_NAMES.join(", ")}.` });
  return found;
}

/** The card that a device takes, as far as the system tells: the runtime asks for the quickest one. */
export async function adapterOf(name: DeviceName): Promise<Adapter | undefined> {
  const all = (await deviceDefinition(name).adapters?.()) ?? [];
  return all.toSorted((a, b) => (b.memory ?? 0) - (a.memory ?? 0))[0];
}

/** Opens a device by name. It is tried at once: a GraphError says why it is not there and what to do. */
export async function openDevice(name: DeviceName, options: DeviceOptions = {}): Promise<Device> {
  return deviceDefinition(name).open(options);
}
