import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { refuseOccupied, tidyFolder, writeFolderWhole, writeIntoFolder, writeOutput } from "./folders.js";

const folder = mkdtempSync(join(tmpdir(), "folders-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Makes a folder with one file. */
function make(name: string, content: string): void {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, "file"), content);
}

describe("a folder that is written whole", () => {
  it("takes the place of the one before, and leaves nothing beside it", async () => {
    await writeFolderWhole(join(folder, "whole"), (place) => writeFileSync(join(place, "file"), "first"));
    await writeFolderWhole(join(folder, "whole"), (place) => writeFileSync(join(place, "file"), "second"));
    expect(readFileSync(join(folder, "whole", "file"), "utf8")).toBe("second");
    await expect(
      writeFolderWhole(join(folder, "whole"), () => {
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    expect(readFileSync(join(folder, "whole", "file"), "utf8")).toBe("second");
    expect(readdirSync(folder)).toEqual(["whole"]);
  });

  it("replaces nothing but what it writes itself", () => {
    make("taken", "the user's");
    expect(() => refuseOccupied(join(folder, "taken"))).toThrow(/taken is there already, and what it holds \(file\)/);
    expect(() => refuseOccupied(join(folder, "taken", "file"))).toThrow(/is no folder/);
    refuseOccupied(join(folder, "taken"), (name) => name === "file");
    mkdirSync(join(folder, "empty"));
    refuseOccupied(join(folder, "empty"));
    // Of a process that is gone; of this one, which may still write; of another name.
    const left = ["fresh.999999999-0123abcd.tmp", `fresh.${process.pid}-0123abcd.tmp`, "other.999999999-0123abcd.tmp"];
    for (const name of left) make(name, "half");
    refuseOccupied(join(folder, "fresh"));
    expect(left.map((name) => existsSync(join(folder, name)))).toEqual([false, true, true]);
    // A container gives every start the same number: what is older than this process was another's.
    const [old] = [join(folder, left[1]!), utimesSync(join(folder, left[1]!), 1, 1)];
    make("moved.999999999-0123abcd.old", "whole");
    for (const name of ["fresh", "moved"]) refuseOccupied(join(folder, name), (own) => own === "file");
    expect([existsSync(old), readFileSync(join(folder, "moved", "file"), "utf8")]).toEqual([false, "whole"]);
    for (const name of ["taken", "empty", "moved", ...left])
      rmSync(join(folder, name), { recursive: true, force: true });
  });

  it("is put among what is there, all or nothing, and replaces nothing else", async () => {
    const place = join(folder, "shared");
    const write = (text: string) =>
      writeIntoFolder(place, async (at) => {
        const files = ["results.json", join("samples", "a.jsonl")].map((name) => join(at, name));
        for (const file of files) writeOutput(file, text);
        return files;
      });
    const written = [join(place, "results.json"), join(place, "samples", "a.jsonl")];
    expect(await write("one")).toEqual(written);
    writeFileSync(join(place, "mine"), "mine");
    rmSync(written[1]!);
    expect(await write("one")).toEqual(written);
    await expect(write("two")).rejects.toThrow(/results\.json is there already, and says something else/);
    expect(written.map((file) => readFileSync(file, "utf8"))).toEqual(["one", "one"]);
    expect(readdirSync(folder)).toEqual(["shared", "whole"]);
    await expect(writeIntoFolder(join(place, "mine"), async () => [])).rejects.toThrow(/is no folder/);
    rmSync(place, { recursive: true });
  });

  it("is found again where a process was killed between the two renames", () => {
    make("last.4711-0123abcd.old", "whole");
    make("last.4711-0123abcd.tmp", "never published");
    make("other", "new");
    make("other.4711-0123abcd.old", "replaced");
    writeFileSync(join(folder, "best.safetensors.12-89abcdef.tmp"), "half");
    writeFileSync(join(folder, "mine.old"), "not ours");
    tidyFolder(folder);
    expect(readdirSync(folder).sort()).toEqual(["last", "mine.old", "other", "whole"]);
    expect(readFileSync(join(folder, "last", "file"), "utf8")).toBe("whole");
    expect(readFileSync(join(folder, "other", "file"), "utf8")).toBe("new");
    // Half-written figures of a run that was killed; what a link leads to is another's.
    mkdirSync(join(folder, "other", "figures"));
    writeFileSync(join(folder, "other", "figures", "loss.svg.4711-0123abcd.tmp"), "half");
    const elsewhere = mkdtempSync(join(tmpdir(), "mmmlu-elsewhere-"));
    writeFileSync(join(elsewhere, "a.4711-0123abcd.tmp"), "another's");
    symlinkSync(elsewhere, join(folder, "other", "link"));
    tidyFolder(folder);
    expect(readdirSync(join(folder, "other", "figures"))).toEqual([]);
    expect(readdirSync(elsewhere)).toEqual(["a.4711-0123abcd.tmp"]);
    rmSync(elsewhere, { recursive: true });
    tidyFolder(join(folder, "absent"));
    expect(existsSync(join(folder, "absent"))).toBe(false);
  });
});
