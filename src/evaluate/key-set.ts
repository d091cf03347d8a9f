/** What tells whether a key is in it. */
export type Keys = Pick<ReadonlySet<string>, "has" | "size">;

/** 32-bit words of a key, and the most of the places that are taken before there are more. */
const [WORDS, FULL] = [4, 0.7] as const;

/** Keys of requests: 16 bytes each in an open table, where a set of texts takes 90. Any other text may be in it too. */
export class KeySet implements Keys {
  private table = new Uint32Array(WORDS * 1024);
  private held = 0;
  /** What is no key of a request, and the one key that looks like a free place. */
  private readonly others = new Set<string>();
  private readonly bytes = Buffer.alloc(4 * WORDS);
  private readonly words = new Uint32Array(this.bytes.buffer, this.bytes.byteOffset, WORDS);

  get size(): number {
    return this.held + this.others.size;
  }

  has(key: string): boolean {
    return this.read(key) ? this.isTaken(this.placeOf(this.words)) : this.others.has(key);
  }

  add(key: string): void {
    if (!this.read(key)) return void this.others.add(key);
    const place = this.placeOf(this.words);
    if (this.isTaken(place)) return;
    this.table.set(this.words, place);
    if (++this.held > (FULL * this.table.length) / WORDS) this.widen();
  }

  /** Puts a key's words into place; false where it is none. */
  private read(key: string): boolean {
    if (key.length !== 8 * WORDS || !/^[0-9a-f]+$/.test(key)) return false;
    this.bytes.write(key, "hex");
    return this.words.some((word) => word !== 0);
  }

  /** Where a key is, or would be: keys are parts of hashes, so their first word spreads them. */
  private placeOf(words: Uint32Array): number {
    const { table } = this;
    const mask = table.length / WORDS - 1;
    for (let at = (words[0] as number) & mask; ; at = (at + 1) & mask) {
      const place = WORDS * at;
      let alike = 0;
      while (alike < WORDS && table[place + alike] === words[alike]) alike++;
      if (alike === WORDS || !this.isTaken(place)) return place;
    }
  }

  private isTaken(place: number): boolean {
    const { table } = this;
    return (table[place]! | table[place + 1]! | table[place + 2]! | table[place + 3]!) !== 0;
  }

  private widen(): void {
    const before = this.table;
    this.table = new Uint32Array(2 * before.length);
    for (let place = 0; place < before.length; place += WORDS) {
      const words = before.subarray(place, place + WORDS);
      if (words.some((word) => word !== 0)) this.table.set(words, this.placeOf(words));
    }
  }
}
