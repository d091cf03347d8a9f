import { closeSync, openSync, writeSync } from "node:fs";
import { crc32 } from "../../../base/crc32.js";

const BLOCK = 32_768;
const CHUNK_HEADER = 7;

/**
 * wandb's transaction log: a 7-byte file header, then LevelDB's log format (blocks of 32 KiB, counted from the
 * file's first byte; each chunk with a CRC-32 over its type and payload, a length and a type).
 */
export class LogFile {
  private file: number;
  private offset = 0;

  /** @throws the file system's error where it cannot be made. */
  constructor(path: string) {
    this.file = openSync(path, "wx");
    this.put(Uint8Array.of(0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0x00));
  }

  append(payload: Uint8Array): void {
    let [at, first] = [0, true];
    for (;;) {
      const room = BLOCK - (this.offset % BLOCK);
      if (room < CHUNK_HEADER) {
        this.put(new Uint8Array(room));
        continue;
      }
      const length = Math.min(payload.length - at, room - CHUNK_HEADER);
      const last = at + length === payload.length;
      this.chunk(first ? (last ? 1 : 2) : last ? 4 : 3, payload.subarray(at, at + length));
      at += length;
      first = false;
      if (last) return;
    }
  }

  close(): void {
    closeSync(this.file);
  }

  private chunk(type: number, payload: Uint8Array): void {
    const bytes = new Uint8Array(CHUNK_HEADER + payload.length);
    bytes[6] = type;
    bytes.set(payload, CHUNK_HEADER);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, crc32(bytes.subarray(6)), true);
    view.setUint16(4, payload.length, true);
    this.put(bytes);
  }

  private put(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.file, bytes, done);
    this.offset += bytes.length;
  }
}
