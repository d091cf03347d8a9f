/*
 * Preloaded into a command (`node --import`): counts the steps by which the process changes files below FAULT_UNDER, and at
 * number FAULT_AT does what FAULT_KIND says. Without FAULT_AT it writes the count to FAULT_COUNT as the process ends.
 *
 * before, after    kill -9 in front of the step, or behind it
 * torn             kill -9 when half of a write has been written (of other steps: behind it)
 * full             from this step on nothing more can be written (half of this write still is); names can be changed
 * failing          from this step on every one fails with EIO
 * readonly         from this step on every one fails with EROFS
 * once             this one step fails with EIO
 * short            every write takes half of what it was given, as a system may
 * removed          the folder is renamed away in front of the step
 * slow             each step waits
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { resolve, sep } from "node:path";
import { isMainThread } from "node:worker_threads";

const { FAULT_UNDER, FAULT_AT, FAULT_KIND, FAULT_COUNT } = process.env;
const top = resolve(FAULT_UNDER ?? "/");
const at = Number(FAULT_AT ?? Number.NaN);
const paths = new Map();
const original = { ...fs };
let count = 0;

const isUnder = (path) => typeof path === "string" && `${resolve(path)}${sep}`.startsWith(top + sep);
const error = (code, syscall) =>
  Object.assign(new Error(`${code}: made to fail, ${syscall}`), { code, errno: -1, syscall });
const kill = () => {
  process.kill(process.pid, "SIGKILL");
  for (;;);
};

/** A step: `run` does it whole, `half` a part of it where there is one. */
function step(name, run, half) {
  const number = ++count;
  const [now, since] = [number === at, number >= at];
  const writes = name === "write" || name === "copyFile" || name === "writeFile";
  if (FAULT_KIND === "slow") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3);
  if (FAULT_KIND === "short" && half) return half();
  if (now) {
    if (FAULT_KIND === "before") kill();
    if (FAULT_KIND === "torn") (half ?? run)();
    if (FAULT_KIND === "after") run();
    if (["torn", "after"].includes(FAULT_KIND)) kill();
    if (FAULT_KIND === "removed") original.renameSync(top, `${top}.away`);
    if (FAULT_KIND === "once") throw error("EIO", name);
  }
  if (since) {
    if (FAULT_KIND === "full" && writes) {
      if (now && half) return half();
      throw error("ENOSPC", name);
    }
    if (FAULT_KIND === "failing") throw error("EIO", name);
    if (FAULT_KIND === "readonly") throw error("EROFS", name);
  }
  return run();
}

function patch(name, places) {
  const real = original[`${name}Sync`];
  fs[`${name}Sync`] = (...given) =>
    places.some((place) => isUnder(given[place])) ? step(name, () => real(...given)) : real(...given);
}

for (const name of ["mkdir", "rm", "unlink", "writeFile", "appendFile"]) patch(name, [0]);
for (const name of ["rename", "copyFile", "link"]) patch(name, [0, 1]);
patch("symlink", [1]);

fs.openSync = (path, flags = "r", ...more) => {
  const open = () => original.openSync(path, flags, ...more);
  const file = isUnder(path) && flags !== "r" ? step("open", open) : open();
  if (isUnder(path)) paths.set(file, path);
  else paths.delete(file);
  return file;
};
fs.closeSync = (file) => {
  paths.delete(file);
  return original.closeSync(file);
};
fs.writeSync = (file, data, ...more) => {
  const write = () => original.writeSync(file, data, ...more);
  if (!paths.has(file)) return write();
  if (typeof data === "string") return step("write", write);
  const [offset = 0, length = data.byteLength - offset, place] = more;
  const part = Math.max(1, length >> 1);
  return step("write", write, length > 1 ? () => original.writeSync(file, data, offset, part, place) : undefined);
};
for (const name of ["fsync", "fdatasync", "ftruncate"]) {
  const real = original[`${name}Sync`];
  fs[`${name}Sync`] = (file, ...more) =>
    paths.has(file) ? step(name, () => real(file, ...more)) : real(file, ...more);
}
syncBuiltinESMExports();

if (FAULT_COUNT && isMainThread) process.on("exit", () => original.writeFileSync(FAULT_COUNT, String(count)));
