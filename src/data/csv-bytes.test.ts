import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { generator } from "../split/index.js";
import { CsvFaultError, csvBlocks, recordAt, separatorOf } from "./csv-bytes.js";
import { firstFault, visitRecords } from "./csv-records.js";

const folder = mkdtempSync(join(tmpdir(), "csv-bytes-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (content: string | Uint8Array): string => {
  const path = join(folder, "rows.csv");
  writeFileSync(path, content);
  return path;
};

/** What the reader of faults, character by character, takes a file for. */
function byCharacters(path: string): string[][] | "fault" {
  const records: string[][] = [];
  const fault = visitRecords(path, (_index, _line, cells) => records.push(cells) > 0);
  return fault ? "fault" : records;
}

function byBytes(path: string): string[][] | "fault" {
  try {
    return [...csvBlocks(path, undefined, separatorOf(path))].flat().map(({ cells }) => [...cells]);
  } catch (error) {
    if (error instanceof CsvFaultError) return "fault";
    throw error;
  }
}

describe("records by their bytes", () => {
  it.each([
    [
      "a,b\n1,2\n",
      [
        ["a", "b"],
        ["1", "2"],
      ],
    ],
    [
      "\ufeffa,b\r\n1,\r\n",
      [
        ["a", "b"],
        ["1", ""],
      ],
    ],
    [
      '"a ""quoted""","b\nc, d"\n\n,',
      [
        ['a "quoted"', "b\nc, d"],
        ["", ""],
      ],
    ],
    ['"é\r",ß"x"\n', [["é\r", 'ß"x"']]],
    ['"a"\r\n', [["a"]]],
    ['""\n"b"', [["b"]]],
    ['"a"b\n', "fault"],
    ['a,"b\n', "fault"],
  ] as const)("%j", (content, expected) => {
    expect(byBytes(file(content))).toEqual(expected);
  });

  it.each([
    ["a,b;c\n", ","],
    ["\ufeffFrage;A;B\r\n", ";"],
    ['"Frage, ganz";A\n', ";"],
    ["a\tb\n1,2\t3\n", "\t"],
    ["a;b\tc\n", ";"],
    ["alone\n1;2\n", ","],
    ['"a\n;b",c\n', ","],
  ])("are separated as the header says: %j by %j", (content, separator) => {
    expect(String.fromCharCode(separatorOf(file(content)))).toBe(separator);
  });

  it("are those of the reader by characters, for 3,000 files of signs drawn by lot", () => {
    const draw = generator(11);
    const signs = ['"', '"', ",", ";", ";", "\t", "\n", "\r\n", "\r", "a", "é", "অ", "😀", '""', " "];
    const seen = { fault: 0, sound: 0 };
    for (let number = 0; number < 3000; number++) {
      const content = Array.from({ length: 1 + draw.bounded(24) }, () => signs[draw.bounded(signs.length - 1)]).join(
        "",
      );
      const path = file(content);
      const expected = byCharacters(path);
      expect([content, byBytes(path)]).toEqual([content, expected]);
      seen[expected === "fault" ? "fault" : "sound"]++;
    }
    expect(seen.fault).toBeGreaterThan(500);
    expect(seen.sound).toBeGreaterThan(500);
  });

  it("over the ends of blocks, and each alone by its place", () => {
    const records = Array.from({ length: 9000 }, (_, index) => [
      String(index),
      `Frage ${index}: ${"zwölf, ".repeat(index % 90)}`,
      index % 3 ? "A" : 'er sagte "so"\nund ging',
    ]);
    const quoted = (cell: string): string => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
    const content = Buffer.from(records.map((cells) => `${cells.map(quoted).join(",")}\n`).join(""));
    expect(content.length).toBeGreaterThan(2 << 20);
    const pieces: Buffer[] = [];
    const found = [...csvBlocks(file(content), (bytes) => pieces.push(Buffer.from(bytes)))].flat();
    expect(found.map(({ cells }) => cells)).toEqual(records);
    expect(Buffer.concat(pieces).equals(content)).toBe(true);
    for (const { offset, length, cells } of found)
      expect(recordAt(content.subarray(offset, offset + length), 0, true)!.cells).toEqual(cells);
  });

  it.each([
    ["an unclosed quote", `0,"open ${"wort, ".repeat(700_000)}`, "fault"],
    ["an unclosed quote over doubled ones", `"${'""'.repeat(2_000_000)}`, "fault"],
    ["a cell of 4 MB", `0,"${"wort\n".repeat(800_000)}"\n`, "sound"],
    ["many cells of one record", `${"a,".repeat(1_000_000)}b\n`, "sound"],
  ] as const)("%s is gone through three times at most", (_kind, content, outcome) => {
    let [held, gone, blocks] = [0, 0, 0];
    const read = (): number =>
      [
        ...csvBlocks(file(content), (bytes) => {
          // With each block all bytes of the record so far are gone through.
          held += bytes.length;
          gone += held;
          blocks++;
        }),
      ].flat().length;
    if (outcome === "fault") expect(read).toThrow(CsvFaultError);
    else expect(read()).toBe(1);
    expect(held).toBe(content.length);
    expect(gone).toBeLessThanOrEqual(3 * content.length);
    expect(blocks).toBeLessThan(10);
  });

  it("bytes that are not UTF-8 are a fault with its line", () => {
    const path = file(Buffer.concat([Buffer.from("a,b\n1,2\n3,"), Buffer.from([0xc3]), Buffer.from("\n")]));
    expect(byBytes(path)).toBe("fault");
    expect(firstFault(path)).toEqual({ line: 3, what: "bytes that are not UTF-8" });
  });
});
