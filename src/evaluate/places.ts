/** Where a row's reply lies in a log. */
export interface Place {
  readonly offset: number;
  readonly length: number;
  /** Which of the reply's questions it is. */
  readonly index: number;
}

/** The most of the table that is taken before there is more. */
const FULL = 0.7;

/**
 * Places by row id, in the order in which the ids first came: some 90 bytes a row, the id included.
 */
export class Places {
  private readonly ids: string[] = [];
  /** An open table of ids: each one's number, plus one; 0 is free. */
  private table = new Int32Array(1024);
  private offsets = new Float64Array(256);
  private lengths = new Uint32Array(256);
  private indexes = new Uint32Array(256);

  /** Those of several logs' parts: a later one's count where both have a row. */
  static of(...parts: readonly (Places | undefined)[]): Places {
    const all = new Places();
    for (const part of parts) for (const [id, place] of part ?? []) all.set(id, place);
    return all;
  }

  get size(): number {
    return this.ids.length;
  }

  has(id: string): boolean {
    return this.numberOf(id) >= 0;
  }

  get(id: string): Place | undefined {
    const number = this.numberOf(id);
    return number < 0 ? undefined : this.at(number);
  }

  /** The id as it is held here: who keeps it keeps no second text. */
  own(id: string): string {
    return this.ids[this.numberOf(id)] ?? id;
  }

  set(id: string, { offset, length, index }: Place): void {
    let number = this.numberOf(id);
    if (number < 0) {
      number = this.ids.push(id) - 1;
      if (number >= this.offsets.length) {
        this.offsets = widened(this.offsets);
        this.lengths = widened(this.lengths);
        this.indexes = widened(this.indexes);
      }
      if (this.ids.length > FULL * this.table.length) {
        this.table = new Int32Array(2 * this.table.length);
        for (const [at, before] of this.ids.entries()) this.table[this.slotOf(before)] = at + 1;
      } else this.table[this.slotOf(id)] = number + 1;
    }
    this.offsets[number] = offset;
    this.lengths[number] = length;
    this.indexes[number] = index;
  }

  keys(): Iterable<string> {
    return this.ids;
  }

  *[Symbol.iterator](): Generator<[string, Place]> {
    for (const [number, id] of this.ids.entries()) yield [id, this.at(number)];
  }

  private at(number: number): Place {
    return { offset: this.offsets[number]!, length: this.lengths[number]!, index: this.indexes[number]! };
  }

  private numberOf(id: string): number {
    return this.table[this.slotOf(id)]! - 1;
  }

  /** Where an id is, or would be. */
  private slotOf(id: string): number {
    const { table, ids } = this;
    const mask = table.length - 1;
    let slot = hashOf(id) & mask;
    while (table[slot] !== 0 && ids[table[slot]! - 1] !== id) slot = (slot + 1) & mask;
    return slot;
  }
}

function widened<T extends Float64Array | Uint32Array>(numbers: T): T {
  const wider = new (numbers.constructor as new (length: number) => T)(2 * numbers.length);
  wider.set(numbers);
  return wider;
}

/** FNV-1a, of UTF-16 code units. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}
