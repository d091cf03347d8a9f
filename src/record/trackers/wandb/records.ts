import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Logged } from "../tracker.js";

/*
 * The messages of wandb's transaction log (wandb/proto/wandb_internal.proto in the public client), of which these
 * field numbers are a part. Writing them by hand with protobuf's own wire writer spares the whole schema.
 */

/** Values by key, as a message's `update` or `item` fields hold them. */
export type Items = Readonly<Record<string, unknown>>;

export interface RunIdentity {
  readonly id: string;
  readonly entity: string | undefined;
  readonly project: string;
  readonly displayName: string;
  readonly group: string | undefined;
  readonly jobType: string;
  readonly tags: readonly string[];
  readonly notes: string | undefined;
  readonly host: string;
  readonly started: Date;
}

type Fill = (writer: BinaryWriter) => void;

const message = (writer: BinaryWriter, field: number, fill: Fill): void => {
  writer.tag(field, WireType.LengthDelimited).fork();
  fill(writer);
  writer.join();
};
const text = (writer: BinaryWriter, field: number, value: string | undefined): void => {
  if (value !== undefined && value !== "") writer.tag(field, WireType.LengthDelimited).string(value);
};
const whole = (writer: BinaryWriter, field: number, value: number): void => {
  writer.tag(field, WireType.Varint).int64(value);
};

/** Record { num = 1, BODY, _info = 200 { stream_id = 1 } }. */
function record(number: number, runId: string, field: number, fill: Fill): Uint8Array {
  const writer = new BinaryWriter();
  whole(writer, 1, number);
  message(writer, field, fill);
  message(writer, 200, (info) => text(info, 1, runId));
  return writer.finish();
}

const item = (writer: BinaryWriter, field: number, key: string, value: unknown): void =>
  message(writer, field, (inner) => {
    text(inner, 1, key);
    inner.tag(16, WireType.LengthDelimited).string(jsonOf(value));
  });

/** JSON as wandb reads it: with NaN and the infinities as words. */
export function jsonOf(value: unknown): string {
  if (typeof value === "number" && !Number.isFinite(value))
    return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  return JSON.stringify(value) ?? "null";
}

const timestamp = (writer: BinaryWriter, field: number, at: Date): void =>
  message(writer, field, (inner) => {
    const milliseconds = at.getTime();
    whole(inner, 1, Math.floor(milliseconds / 1000));
    whole(inner, 2, (milliseconds % 1000) * 1e6);
  });

/** A writer of numbered records for one run. */
export function records(runId: string) {
  let number = 0;
  const next = (field: number, fill: Fill): Uint8Array => record(++number, runId, field, fill);
  return {
    header: (producer: string) =>
      next(21, (writer) =>
        message(writer, 1, (version) => {
          text(version, 1, producer);
          text(version, 2, "0.19.0");
        }),
      ),
    run: (run: RunIdentity, configuration: Items) =>
      next(17, (writer) => {
        text(writer, 1, run.id);
        text(writer, 2, run.entity);
        text(writer, 3, run.project);
        message(writer, 4, (config) =>
          Object.entries(configuration).forEach(([key, value]) => item(config, 1, key, value)),
        );
        text(writer, 6, run.group);
        text(writer, 7, run.jobType);
        text(writer, 8, run.displayName);
        text(writer, 9, run.notes);
        run.tags.forEach((tag) => text(writer, 10, tag));
        text(writer, 13, run.host);
        timestamp(writer, 17, run.started);
      }),
    metric: (name: string, against: string) =>
      next(12, (writer) => {
        text(writer, 1, name);
        text(writer, 4, against);
      }),
    history: (values: Items, step: number) =>
      next(2, (writer) => {
        Object.entries(values).forEach(([key, value]) => item(writer, 1, key, value));
        message(writer, 2, (inner) => whole(inner, 1, step));
      }),
    summary: (values: Items) =>
      next(3, (writer) => Object.entries(values).forEach(([key, value]) => item(writer, 1, key, value))),
    statistics: (values: Readonly<Record<string, Logged>>, at: Date) =>
      next(7, (writer) => {
        // StatsRecord.stats_type = 1: SYSTEM is 0.
        timestamp(writer, 2, at);
        Object.entries(values).forEach(([key, value]) => item(writer, 3, key, value));
      }),
    output: (line: string, at: Date) =>
      next(13, (writer) => {
        // OutputRawRecord: output_type 1 (STDOUT is 1), timestamp 2, line 3.
        whole(writer, 1, 1);
        timestamp(writer, 2, at);
        text(writer, 3, line);
      }),
    exit: (code: number, runtimeSeconds: number) =>
      next(18, (writer) => {
        whole(writer, 1, code);
        whole(writer, 2, Math.round(runtimeSeconds));
      }),
    footer: () => next(22, () => {}),
  };
}
