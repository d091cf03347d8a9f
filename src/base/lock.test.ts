import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { lockFolder } from "./lock.js";

const folder = mkdtempSync(join(tmpdir(), "lock-"));
const lock = join(folder, "lock");
let child: ChildProcess | undefined;
afterAll(() => {
  child?.kill();
  rmSync(folder, { recursive: true });
});
beforeEach(() => rmSync(lock, { force: true }));

describe("a folder's lock", () => {
  it("is held until it is given back, against this process too", () => {
    const release = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(`${folder} is in use by another run (process ${process.pid})`);
    release();
    expect(existsSync(lock)).toBe(false);
    lockFolder(folder)();
  });

  it("of a process that is alive is respected", () => {
    child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"], { stdio: "ignore" });
    writeFileSync(lock, String(child.pid));
    expect(() => lockFolder(folder)).toThrow(`(process ${child.pid})`);
    expect(readFileSync(lock, "utf8")).toBe(String(child.pid));
  });

  it("of a dead process is taken over, with what it was writing put right", () => {
    writeFileSync(join(folder, "metrics.json.999999999-0123abcd.tmp"), "half");
    for (const dead of ["999999999", "999999999 12345", "nonsense"]) {
      writeFileSync(lock, dead);
      lockFolder(folder)();
    }
    expect(existsSync(join(folder, "metrics.json.999999999-0123abcd.tmp"))).toBe(false);
  });

  it("of a process whose number was given to another since is taken over", () => {
    // In a container that was started again this very process may have the number of the one that died.
    writeFileSync(lock, process.platform === "linux" ? `${process.pid} 1` : String(process.pid));
    lockFolder(folder)();
    if (process.platform !== "linux") return;
    writeFileSync(lock, `${child?.pid} 1`);
    lockFolder(folder)();
  });

  it("that is just being made is respected, and one that was never finished is not", () => {
    writeFileSync(lock, "");
    expect(() => lockFolder(folder)).toThrow(/is in use by another run$/);
    utimesSync(lock, new Date(0), new Date(0));
    lockFolder(folder)();
  });
});
