/**
 * Rows of token ids one behind the other, without padding. Everything but attention works on the packed tokens [T];
 * attention reads them as [rows, heads, longest] through `headPlaces` and comes back through `packedPlaces`.
 */
export interface PackedRows {
  readonly tokens: Int32Array;
  readonly rows: number;
  /** T */
  readonly total: number;
  readonly longest: number;
  /** Where a row's place 0 lies, or would lie: its place p is packed at start + p, shared places in the first row. */
  readonly starts: readonly number[];
  readonly lengths: readonly number[];
  /** Places at the start of all rows that are packed once, in the first. */
  readonly shared: number;
}

/**
 * Puts rows one behind the other; none may be empty.
 * @param shared places at the start of all rows that hold the same tokens and are packed once: only where a token's
 * state depends on nothing after it, and no gradient is wanted
 */
export function packRows(rows: readonly (readonly number[])[], shared = 0): PackedRows {
  const lengths = rows.map((row) => row.length);
  if (rows.length === 0 || lengths.includes(0)) throw new Error("no rows, or a row without tokens");
  const total = lengths.reduce((sum, length) => sum + length, 0) - shared * (rows.length - 1);
  const tokens = new Int32Array(total);
  const starts: number[] = [];
  let at = 0;
  for (const row of rows) {
    const own = at === 0 ? row : row.slice(shared);
    starts.push(at - (row.length - own.length));
    tokens.set(own, at);
    at += own.length;
  }
  return { tokens, rows: rows.length, total, longest: Math.max(...lengths), starts, lengths, shared };
}

/** How many tokens all rows begin with, their last tokens left apart. */
export function commonStart(rows: readonly (readonly number[])[]): number {
  const [first, ...others] = rows as [readonly number[], ...(readonly number[])[]];
  const longest = Math.min(...rows.map((row) => row.length)) - 1;
  let length = 0;
  while (length < longest && others.every((row) => row[length] === first[length])) length++;
  return others.length > 0 ? length : 0;
}

/** Where a row's place is packed. */
export function packedPlace({ starts, shared }: PackedRows, row: number, place: number): number {
  return place < shared ? place : starts[row]! + place;
}

/** The place in its row of each packed token. */
export function positions({ lengths, shared }: PackedRows): Int32Array {
  return Int32Array.from(
    lengths.flatMap((length, row) =>
      Array.from({ length: row === 0 ? length : length - shared }, (_, i) => (row === 0 ? i : shared + i)),
    ),
  );
}

/**
 * For each [row, head, place] of the padded shape, the packed [token, head] it is read from; padding reads a row's last
 * token.
 */
export function headPlaces(packed: PackedRows, heads: number): Int32Array {
  const { rows, longest, lengths } = packed;
  const places = new Int32Array(rows * heads * longest);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    const last = lengths[row]! - 1;
    for (let head = 0; head < heads; head++) {
      for (let place = 0; place < longest; place++)
        places[at++] = packedPlace(packed, row, Math.min(place, last)) * heads + head;
    }
  }
  return places;
}

/** For each packed [token, head], the [row, head, place] of the padded shape it comes from. */
export function packedPlaces({ rows, longest, total, lengths, shared }: PackedRows, heads: number): Int32Array {
  const places = new Int32Array(total * heads);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (let place = row === 0 ? 0 : shared; place < lengths[row]!; place++) {
      for (let head = 0; head < heads; head++) places[at++] = (row * heads + head) * longest + place;
    }
  }
  return places;
}

/** What is added to the scores of keys that are padding. */
export const MASKED = -1e9;

/** [rows, longest]: 0 at tokens, {@link MASKED} at padding. */
export function keyMask({ rows, longest, lengths }: PackedRows): Float32Array {
  const mask = new Float32Array(rows * longest);
  for (let row = 0; row < rows; row++) mask.fill(MASKED, row * longest + lengths[row]!, (row + 1) * longest);
  return mask;
}

/** [rows, longest]: 1 at tokens, 0 at padding. */
export function tokenMask({ rows, longest, lengths }: PackedRows): Float32Array {
  const mask = new Float32Array(rows * longest);
  for (let row = 0; row < rows; row++) mask.fill(1, row * longest, row * longest + lengths[row]!);
  return mask;
}

/** For each [row, place] of the padded shape, the packed token it is read from; padding reads a row's last token. */
export function statePlaces(packed: PackedRows): Int32Array {
  return headPlaces(packed, 1);
}

/** For each packed token, the [row, place] of the padded shape it comes from. */
export function tokenPlaces(packed: PackedRows): Int32Array {
  return packedPlaces(packed, 1);
}
