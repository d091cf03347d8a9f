import type { DeviceArray, DeviceCounters } from "../device.js";

/** Counts what a device does. In the machine's memory nothing is sent, read or waited for. */
export class Counting {
  private readonly counters = { runs: 0, nodes: 0, uploads: 0, bytesSent: 0, bytesRead: 0, waits: 0 };

  constructor(private readonly hasMemory: boolean) {}

  get now(): DeviceCounters {
    return { ...this.counters };
  }

  /** A run of a program of so many operators; of its inputs those that lie in the machine's memory are sent. */
  run(nodes: number, inputs: Readonly<Record<string, DeviceArray>>): void {
    this.counters.runs++;
    this.counters.nodes += nodes;
    if (this.hasMemory) for (const input of Object.values(inputs)) if (!input.onDevice) this.sent(input);
  }

  /** The outputs of a run: those that came to the machine's memory were waited for, together. */
  outputs(arrays: Readonly<Record<string, DeviceArray>>): void {
    if (!this.hasMemory) return;
    const read = Object.values(arrays).filter(({ onDevice }) => !onDevice);
    if (read.length > 0) this.read(read.reduce((sum, { bytes }) => sum + bytes, 0));
  }

  sent({ bytes }: DeviceArray): void {
    if (!this.hasMemory) return;
    this.counters.uploads++;
    this.counters.bytesSent += bytes;
  }

  read(bytes: number): void {
    if (!this.hasMemory) return;
    this.counters.waits++;
    this.counters.bytesRead += bytes;
  }
}
