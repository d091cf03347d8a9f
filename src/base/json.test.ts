import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { expandPath, readDotEnv } from "./environment.js";
import { sha256OfPieces } from "./files.js";
import { jsonPieces, readJsonAs, writeJsonWhole } from "./json.js";
import { readJsonLines, writeJsonLines } from "./json-lines.js";

const folder = mkdtempSync(join(tmpdir(), "json-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const all = async <T>(values: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
};

describe("JSON in pieces", () => {
  it("is the text of JSON.stringify", () => {
    const wide = Object.fromEntries(
      Array.from({ length: 150 }, (_, i) => [`k${i}`, i % 7 ? i : { i, list: [i, [i]] }]),
    );
    const values = [
      null,
      1,
      "a\nb",
      [],
      {},
      [[]],
      [{}],
      { a: undefined },
      [undefined, () => 1],
      { a: { b: [1, { c: "x\u2028" }] } },
      new Date(0),
      { date: new Date(0), nan: Number.NaN },
      Array.from({ length: 300 }, (_, i) => `${i}`),
      wide,
      [wide, wide],
      "x".repeat(20_000),
      { long: "y".repeat(20_000) },
    ];
    for (const value of values)
      for (const indent of [0, 2])
        expect([...jsonPieces(value, indent)].join("")).toBe(JSON.stringify(value, null, indent));
  });

  it("is written whole, and hashed, beyond the longest string", async () => {
    const part = "x".repeat(1 << 26);
    const values = { list: Array.from({ length: 9 }, () => part) };
    expect(() => JSON.stringify(values)).toThrow(/Invalid string length/);
    writeJsonWhole(join(folder, "large.json"), values);
    expect(statSync(join(folder, "large.json")).size).toBe(
      '{\n  "list": [\n  ]\n}\n'.length + 9 * (part.length + 7) + 8,
    );
    expect(sha256OfPieces(jsonPieces([1, "a"]))).toBe(createHash("sha256").update('[1,"a"]').digest("hex"));
    rmSync(join(folder, "large.json"));
  });
});

describe("JSON from outside", () => {
  const schema = z.object({ a: z.number() });
  it("may have a byte order mark, and is checked", async () => {
    expect(await readJsonAs(file("mark.json", '\ufeff{"a": 1}'), schema)).toEqual({ a: 1 });
    await expect(readJsonAs(file("wrong.json", '{"a": "x"}'), schema)).rejects.toThrow(
      /wrong\.json: a: expected a number/,
    );
    await expect(
      readJsonAs(file("lfs.json", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"), schema),
    ).rejects.toThrow(/lfs\.json is a pointer of Git LFS/);
    await expect(readJsonAs(file("torn.json", '{"a": '), schema)).rejects.toThrow(/torn\.json is not JSON/);
    await expect(readJsonAs(file("null.json", "null"), schema)).rejects.toThrow(
      /null\.json: expected an object with keys, not null/,
    );
    await expect(readJsonAs(file("sixteen.json", Buffer.from('\ufeff{"a": 1}', "utf16le")), schema)).rejects.toThrow(
      /UTF-16/,
    );
    await expect(readJsonAs(file("large.json", '{"a": 1}'), schema, { most: 4 })).rejects.toThrow(
      /8 bytes, more than the 4/,
    );
    await expect(readJsonAs(join(folder, "absent.json"), schema)).rejects.toThrow(/cannot read .*absent\.json/);
    mkdirSync(join(folder, "folder.json"));
    await expect(readJsonAs(join(folder, "folder.json"), schema)).rejects.toThrow(/is a folder/);
    execFileSync("mkfifo", [join(folder, "pipe.json")]);
    await expect(readJsonAs(join(folder, "pipe.json"), schema)).rejects.toThrow(/no plain file/);
  });

  it("tells the first faults of many", async () => {
    const many = file("many.json", JSON.stringify(Array.from({ length: 100 }, () => "x")));
    await expect(readJsonAs(many, z.array(z.number()))).rejects.toThrow(/7: [^;]*; and 92 more$/);
  });
});

describe("lines of JSON", () => {
  it("end at line feeds only, may have a byte order mark, and a torn last one is passed over", async () => {
    const values = [{ text: "a\u2028b\u2029c\rd\u0085" }, { text: "問題" }];
    const path = join(folder, "lines.jsonl");
    writeJsonLines(path, values);
    expect(await all(readJsonLines(path, z.unknown()))).toEqual(values);
    expect(await all(readJsonLines(file("mark.jsonl", `\ufeff{"a":1}\r\n\n{"a":2}\n{"a":`), z.unknown()))).toEqual([
      { a: 1 },
      { a: 2 },
    ]);
    await expect(all(readJsonLines(file("bad.jsonl", '{"a":1}\nx\n{"a":2}\n'), z.unknown()))).rejects.toThrow(
      /bad\.jsonl:2: not a JSON/,
    );
    const numbers = z.object({ a: z.number() });
    await expect(all(readJsonLines(file("odd.jsonl", '{"a":1}\n\n{"a":"x"}\nnull\n'), numbers))).rejects.toThrow(
      /odd\.jsonl:3: a: /,
    );
    expect(await all(readJsonLines(file("end.jsonl", '{"a":1}'), z.unknown()))).toEqual([{ a: 1 }]);
  });
});

describe("the environment", () => {
  it("is read from .env with a byte order mark; what is set wins", async () => {
    file(".env", '\ufeffFIRST=1\r\nSECOND="two words" # why\nexport THIRD=3\nSET=file\n');
    const environment: NodeJS.ProcessEnv = { SET: "already" };
    await readDotEnv(folder, environment);
    expect(environment).toEqual({ FIRST: "1", SECOND: "two words", THIRD: "3", SET: "already" });
  });

  it("expands ~ and variables in paths", () => {
    const environment = { HOME: "/home/me", DATA: "/data/$HOME" };
    expect(expandPath("~/hf", environment)).toBe("/home/me/hf");
    expect(expandPath("$HOME/hf", environment)).toBe("/home/me/hf");
    expect(expandPath(`$\{HOME}/~/$UNSET/x`, environment)).toBe("/home/me/~/$UNSET/x");
    expect(expandPath("$DATA", environment)).toBe("/data/$HOME");
    expect(expandPath("~other/x", environment)).toBe("~other/x");
  });
});
