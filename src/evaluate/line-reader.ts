import { closeSync, openSync, readSync } from "node:fs";

/** Bytes of a block, and how many are held: replies land out of order, as far apart as many are under way at once. */
const [BLOCK, BLOCKS] = [1 << 18, 8] as const;

/** Bytes between two pieces that are near each other. */
const NEAR = BLOCKS * BLOCK;

/**
 * Reads pieces of a file by their places: those that are asked for near each other out of blocks that are read once,
 * others one by one. Memory: 2 MiB, and the longest piece.
 */
export class LineReader {
  private readonly file: number;
  /** By block number, that which was asked for last at the end. */
  private readonly blocks = new Map<number, Buffer>();
  private last = 0;
  private own = Buffer.alloc(0);

  constructor(path: string) {
    this.file = openSync(path, "r");
  }

  /** The bytes there, fewer at the file's end: good until the next call. */
  at(offset: number, length: number): Buffer {
    const number = Math.floor(offset / BLOCK);
    const start = number * BLOCK;
    const near = Math.abs(offset - this.last) < NEAR;
    this.last = offset;
    if (offset + length <= start + BLOCK) {
      const block = this.block(number, near);
      if (block) return block.subarray(offset - start, offset - start + length);
    }
    if (this.own.length < length) this.own = Buffer.alloc(length);
    return this.own.subarray(0, this.read(this.own, offset, length));
  }

  private block(number: number, read: boolean): Buffer | undefined {
    const known = this.blocks.get(number);
    if (known) {
      this.blocks.delete(number);
      this.blocks.set(number, known);
      return known;
    }
    if (!read) return undefined;
    let room: Buffer = Buffer.alloc(this.blocks.size < BLOCKS ? BLOCK : 0);
    if (room.length === 0) {
      const [oldest, block] = this.blocks.entries().next().value as [number, Buffer];
      // All of its room: less was filled at the file's end.
      room = Buffer.from(block.buffer, block.byteOffset, BLOCK);
      this.blocks.delete(oldest);
    }
    const block = room.subarray(0, this.read(room, number * BLOCK, BLOCK));
    this.blocks.set(number, block);
    return block;
  }

  private read(into: Buffer, offset: number, length: number): number {
    let done = 0;
    for (let read = -1; done < length && read !== 0; done += read)
      read = readSync(this.file, into, done, length - done, offset + done);
    return done;
  }

  close(): void {
    closeSync(this.file);
  }
}
