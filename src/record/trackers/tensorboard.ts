import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { maskedCrc32c } from "../../base/crc32.js";
import { messageOf } from "../../base/errors.js";
import type { StartTracker } from "./kind.js";
import type { Logged, RunDescription, Tracker } from "./tracker.js";

/** TensorBoard, where the configuration asks for it. */
export const startTensorboard: StartTracker = (run, { tensorboard, say }) =>
  tensorboard ? tensorboardTracker(run, say) : undefined;

/**
 * TensorBoard's event file (tensorflow/core/util/event.proto, record_writer.h): a length, its masked CRC-32C, a
 * serialized Event, its masked CRC-32C.
 */
export function tensorboardTracker(run: RunDescription, say: (line: string) => void): Tracker {
  const folder = join(run.folder, "tensorboard");
  let file: number | undefined;
  const fail = (error: unknown): void => {
    if (file !== undefined) say(`TensorBoard: ${messageOf(error)}; the run goes on without it`);
    file = undefined;
  };
  const write = (event: Uint8Array): void => {
    if (file === undefined) return;
    try {
      const bytes = record(event);
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
    } catch (error) {
      fail(error);
    }
  };
  try {
    mkdirSync(folder, { recursive: true });
    file = openSync(
      join(folder, `events.out.tfevents.${Math.floor(Date.now() / 1000)}.${hostname()}.${process.pid}`),
      "a",
    );
    write(event((writer) => writer.tag(3, WireType.LengthDelimited).string("brain.Event:2")));
  } catch (error) {
    say(`TensorBoard: cannot write ${folder}: ${messageOf(error)}; the run goes on without it`);
  }
  const scalars = (values: Readonly<Record<string, Logged>>, step: number): void => {
    const numbers = Object.entries(values).filter((entry): entry is [string, number] => typeof entry[1] === "number");
    if (numbers.length) write(event((writer) => summary(writer.tag(2, WireType.Varint).int64(step), numbers)));
  };
  let lastStep = 0;
  return {
    name: "TensorBoard",
    log: (values, step) => {
      lastStep = Math.max(lastStep, step);
      scalars(values, step);
    },
    summary: (values) => scalars(values, lastStep),
    output: () => {},
    finish: async () => {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

function event(fill: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.Bit64).double(Date.now() / 1000);
  fill(writer);
  return writer.finish();
}

/** Event.summary = 5 { value = 1 { tag = 1, simple_value = 2 } }. */
function summary(writer: BinaryWriter, values: readonly (readonly [string, number])[]): void {
  writer.tag(5, WireType.LengthDelimited).fork();
  for (const [tag, value] of values) {
    writer.tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(tag).tag(2, WireType.Bit32).float(value);
    writer.join();
  }
  writer.join();
}

function record(payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(payload.length + 16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(payload.length), true);
  view.setUint32(8, maskedCrc32c(bytes.subarray(0, 8)), true);
  bytes.set(payload, 12);
  view.setUint32(12 + payload.length, maskedCrc32c(payload), true);
  return bytes;
}
