import { inflateRawSync } from "node:zlib";
import { decompress } from "fzstd";
import { type Entry, open, type ZipFile } from "yauzl";
import { messageOf, UserError } from "../../base/errors.js";
import { hintForReading } from "../../base/hint-for-reading.js";
import { printableName } from "../../base/printable.js";

/** Bytes that one file of an archive has at most, unpacked. */
const LARGEST = 64 << 20;

/** Files that an archive has at most: each sample is one. */
const MOST_FILES = 2_000_000;

/** How files of an archive are packed (APPNOTE.TXT 4.4.5). */
const [STORED, DEFLATED, ZSTANDARD] = [0, 8, 93];

/** The files of a ZIP archive, read one at a time. */
export class Archive {
  private constructor(
    readonly path: string,
    private readonly zip: ZipFile,
    private readonly entries: ReadonlyMap<string, Entry>,
  ) {}

  /** Reads an archive's list of files. @throws {UserError} where it is no whole ZIP archive */
  static async open(path: string): Promise<Archive> {
    const fail = (error: unknown): UserError =>
      new UserError(`cannot read ${path}: ${printableName(messageOf(error))}`, {
        hint: hintForReading(error) ?? "It is damaged, or no log of Inspect: write or fetch it again.",
        cause: error,
      });
    let zip: ZipFile;
    try {
      zip = await new Promise<ZipFile>((resolve, reject) =>
        open(path, { lazyEntries: true, autoClose: false, strictFileNames: true }, (error, opened) =>
          error ? reject(error) : resolve(opened),
        ),
      );
    } catch (error) {
      throw fail(error);
    }
    try {
      if (zip.entryCount > MOST_FILES) throw new Error(`it holds ${zip.entryCount} files, more than ${MOST_FILES}`);
      // Of several files of one name the last counts, as for every reader.
      const entries = new Map<string, Entry>();
      await new Promise<void>((resolve, reject) => {
        zip.on("entry", (entry: Entry) => {
          entries.set(entry.fileName, entry);
          zip.readEntry();
        });
        zip.on("end", resolve);
        zip.on("error", reject);
        zip.readEntry();
      });
      return new Archive(path, zip, entries);
    } catch (error) {
      zip.close();
      throw fail(error);
    }
  }

  get names(): IterableIterator<string> {
    return this.entries.keys();
  }

  /**
   * A file's text; undefined where there is no such file.
   * @throws {UserError} where it is too large, damaged, or packed in an unknown way
   */
  async text(name: string): Promise<string | undefined> {
    const entry = this.entries.get(name);
    if (!entry) return undefined;
    const where = `${this.path} (${printableName(name)})`;
    const hint = "It is damaged, or no log of Inspect: write or fetch it again.";
    if (entry.uncompressedSize > LARGEST || entry.compressedSize > LARGEST)
      throw new UserError(`${where} has ${entry.uncompressedSize} bytes, more than the ${LARGEST} that are read`, {
        hint,
      });
    if (entry.isEncrypted())
      throw new UserError(`${where} is encrypted`, { hint: "Write the log without a password." });
    try {
      return unpacked(await this.bytes(entry), entry).toString("utf8");
    } catch (error) {
      throw new UserError(`cannot read ${where}: ${printableName(messageOf(error))}`, { hint, cause: error });
    }
  }

  private bytes(entry: Entry): Promise<Buffer> {
    return new Promise((resolve, reject) =>
      // As it is packed: what packs it is not what yauzl unpacks.
      this.zip.openReadStream(entry, { decodeFileData: false } as never, (error, stream) => {
        if (error) return reject(error);
        const pieces: Buffer[] = [];
        stream.on("data", (piece: Buffer) => pieces.push(piece));
        stream.on("end", () => resolve(Buffer.concat(pieces)));
        stream.on("error", reject);
      }),
    );
  }

  close(): void {
    this.zip.close();
  }
}

function unpacked(bytes: Buffer, { compressionMethod, uncompressedSize }: Entry): Buffer {
  switch (compressionMethod) {
    case STORED:
      return bytes;
    case DEFLATED:
      return inflateRawSync(bytes, { maxOutputLength: Math.max(1, uncompressedSize) });
    case ZSTANDARD: {
      // Its size is known: what unpacks to more is not followed there.
      const room = new Uint8Array(uncompressedSize);
      return Buffer.from(decompress(bytes, room));
    }
    default:
      throw new Error(`it is packed by method ${compressionMethod}, which is not known`);
  }
}
