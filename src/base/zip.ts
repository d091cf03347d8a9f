import { deflateRawSync } from "node:zlib";
import { crc32 } from "./crc32.js";

/** A file of an archive. */
export interface ZippedFile {
  /** With `/` between folders. */
  readonly name: string;
  readonly data: Uint8Array;
}

/** 1 January 1980, midnight: the format's first moment, so that the same files make the same archive. */
const [TIME, DATE] = [0, 0x21];
/** UTF-8 names; what is needed to read it; deflated; a plain file of Unix, read by all and written by its owner. */
const [UTF8, VERSION, DEFLATED, UNIX, MODE] = [0x800, 20, 8, 3 << 8, (0o100644 << 16) >>> 0];

/**
 * A ZIP archive (PKWARE's APPNOTE 6.3), deflated: up to 65,535 files and 4 GiB.
 * @throws {RangeError} where there is more
 */
export function zipOf(files: readonly ZippedFile[]): Buffer {
  const [parts, entries]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const { name, data } of files) {
    const [packed, path] = [deflateRawSync(data), Buffer.from(name, "utf8")];
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(VERSION, 0);
    facts.writeUInt16LE(UTF8, 2);
    facts.writeUInt16LE(DEFLATED, 4);
    facts.writeUInt16LE(TIME, 6);
    facts.writeUInt16LE(DATE, 8);
    facts.writeUInt32LE(crc32(data), 10);
    facts.writeUInt32LE(packed.length, 14);
    facts.writeUInt32LE(data.length, 18);
    facts.writeUInt16LE(path.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(MODE, 6);
    place.writeUInt32LE(offset, 10);
    const made = Buffer.alloc(2);
    made.writeUInt16LE(UNIX | VERSION, 0);
    const local = Buffer.concat([signature(0x04034b50), facts, path, packed]);
    entries.push(signature(0x02014b50), made, facts, place, path);
    parts.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, directory, signature(0x06054b50), end]);
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value, 0);
  return bytes;
}
