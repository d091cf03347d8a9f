/** Where a row's reply lies in a log. */
export interface Place {
  readonly offset: number;
  readonly length: number;
  /** Which of the reply's questions it is. */
  readonly index: number;
}

/** Places by row id, in the order in which the ids first came: some 120 bytes a row, the id included. */
export class Places {
  private readonly ids: string[] = [];
  private readonly numbers = new Map<string, number>();
  /** Offset, length and index of each, one behind the other. */
  private numbersOf = new Float64Array(3 * 256);

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
    return this.numbers.has(id);
  }

  get(id: string): Place | undefined {
    const number = this.numbers.get(id);
    return number === undefined ? undefined : this.at(number);
  }

  /** The id as it is held here: who keeps it keeps no second text. */
  own(id: string): string {
    return this.ids[this.numbers.get(id) ?? -1] ?? id;
  }

  set(id: string, { offset, length, index }: Place): void {
    let number = this.numbers.get(id);
    if (number === undefined) {
      number = this.ids.push(id) - 1;
      this.numbers.set(id, number);
      if (3 * number >= this.numbersOf.length) {
        const wider = new Float64Array(2 * this.numbersOf.length);
        wider.set(this.numbersOf);
        this.numbersOf = wider;
      }
    }
    this.numbersOf.set([offset, length, index], 3 * number);
  }

  keys(): Iterable<string> {
    return this.ids;
  }

  *[Symbol.iterator](): Generator<[string, Place]> {
    for (const [number, id] of this.ids.entries()) yield [id, this.at(number)];
  }

  private at(number: number): Place {
    const [offset, length, index] = this.numbersOf.subarray(3 * number, 3 * number + 3) as unknown as [
      number,
      number,
      number,
    ];
    return { offset, length, index };
  }
}
