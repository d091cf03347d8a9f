/** Idle memory that is kept, in bytes. */
const KEPT = 256 * 2 ** 20;

/** Smaller arrays are not worth keeping. */
const SMALLEST = 64 * 2 ** 10;

/**
 * Memory of disposed arrays on the CPU, for the next outputs. Fresh memory for each output makes V8 collect garbage
 * after every 64 MB, and its marking threads take the cores from the runtime's: with a large heap beside it, every
 * second layer of a large model then takes half as long again.
 */
export class MemoryPool {
  private idle: ArrayBuffer[] = [];
  private kept = 0;

  /** Memory of at least so many bytes, its content whatever it was. */
  take(bytes: number): ArrayBuffer {
    let best = -1;
    for (let i = 0; i < this.idle.length; i++) {
      const size = this.idle[i]!.byteLength;
      if (size >= bytes && size <= 1.25 * bytes && (best < 0 || size < this.idle[best]!.byteLength)) best = i;
    }
    if (best < 0) return new ArrayBuffer(bytes);
    const [buffer] = this.idle.splice(best, 1) as [ArrayBuffer];
    this.kept -= buffer.byteLength;
    return buffer;
  }

  /** Takes memory back that nobody reads any more. */
  give(buffer: ArrayBuffer): void {
    if (buffer.byteLength < SMALLEST || buffer.byteLength > KEPT) return;
    this.idle.push(buffer);
    this.kept += buffer.byteLength;
    while (this.kept > KEPT) this.kept -= this.idle.shift()!.byteLength;
  }

  clear(): void {
    this.idle = [];
    this.kept = 0;
  }
}
