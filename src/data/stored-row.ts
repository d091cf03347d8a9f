import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { messageOf, UserError } from "../base/errors.js";
import { hintForReading } from "../base/hint-for-reading.js";
import { type Row, rowId } from "../tasks/index.js";

/** What a row says. */
export type RowTexts = Pick<Row, "question" | "choices">;

/** A file whose rows' texts are read when they are asked for. */
export class StoredTexts {
  private last: { readonly offset: number; readonly texts: RowTexts } | undefined;

  /**
   * @param state of the file, as `stateOf` gives it: where it is another, the file has changed
   * @param decode gives the texts of a row from its bytes
   */
  constructor(
    private readonly path: string,
    private readonly state: string,
    private readonly reader: BlockReader,
    private readonly decode: (bytes: Buffer) => RowTexts,
  ) {}

  /** @throws {UserError} where the file has changed since its rows were checked, or cannot be read */
  at(offset: number, length: number): RowTexts {
    if (this.last?.offset !== offset)
      this.last = { offset, texts: this.decode(this.reader.read(this.path, this.state, offset, length)) };
    return this.last.texts;
  }
}

/** Bytes read ahead where rows are asked for in the file's order. */
const AHEAD = 1 << 18;

/** Reads pieces of files, of one that is gone through in order some at once; one block is in memory. */
export class BlockReader {
  private block: { readonly path: string; readonly offset: number; readonly bytes: Buffer } | undefined;
  private next: { readonly path: string; readonly offset: number } | undefined;

  read(path: string, state: string, offset: number, length: number): Buffer {
    const { block, next } = this;
    const end = offset + length;
    this.next = { path, offset: end };
    if (block?.path === path && offset >= block.offset && end <= block.offset + block.bytes.length)
      return block.bytes.subarray(offset - block.offset, end - block.offset);
    // Others read between, such as rows gone through before, do not end an order.
    const ends = [next, block && { path: block.path, offset: block.offset + block.bytes.length - length }];
    const inOrder = ends.some((at) => at?.path === path && offset >= at.offset && offset < at.offset + AHEAD / 4);
    const bytes = readAt(path, state, offset, inOrder ? Math.max(AHEAD, length) : length);
    if (bytes.length < length) throw changed(path);
    if (inOrder) this.block = { path, offset, bytes };
    return bytes.subarray(0, length);
  }
}

const changed = (path: string): UserError =>
  new UserError(`${path} has changed since it was read`, { hint: "Run the same command again." });

/** Of an open file: what tells that it is still the same. */
export const stateOf = ({ dev, ino, size, mtimeNs }: Record<"dev" | "ino" | "size" | "mtimeNs", bigint>): string =>
  [dev, ino, size, mtimeNs].join(" ");

function readAt(path: string, state: string, offset: number, most: number): Buffer {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    if (stateOf(fstatSync(file, { bigint: true })) !== state) throw changed(path);
    const bytes = Buffer.allocUnsafeSlow(most);
    let done = 0;
    for (let read = -1; done < most && read !== 0; done += read)
      read = readSync(file, bytes, done, most - done, offset + done);
    return bytes.subarray(0, done);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot read ${path}: ${messageOf(error)}`, { hint: hintForReading(error), cause: error });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** A row whose texts lie on disk: some 100 bytes in memory, however long they are. */
export class StoredRow implements Row {
  declare readonly key?: string;
  declare readonly category?: string;

  constructor(
    private readonly texts: StoredTexts,
    private readonly offset: number,
    private readonly length: number,
    private readonly idPrefix: string,
    readonly language: string,
    readonly subject: string,
    readonly index: number,
    readonly answer: Row["answer"],
    key: string | undefined,
    category: string | undefined,
  ) {
    if (key !== undefined) this.key = key;
    if (category !== undefined) this.category = category;
  }

  get id(): string {
    return rowId(this.idPrefix, this.language, this.subject, this.index);
  }

  get question(): string {
    return this.texts.at(this.offset, this.length).question;
  }

  get choices(): readonly string[] {
    return this.texts.at(this.offset, this.length).choices;
  }
}
