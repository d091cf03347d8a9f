import { lstatSync, realpathSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { UserError } from "./errors.js";
import { printableName } from "./printable.js";

/** Bytes that a file's name has at most on common file systems, less what our own endings take. */
const LONGEST_NAME = 220;
/** Bytes of a whole name from outside, its folders included. */
const LONGEST_PATH = 1000;

/** Names that Windows gives to devices, whatever their ending. */
const DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i;

/**
 * Joins names from outside to a folder: the only way in which a name that a hub, a server or a file gave becomes a
 * path. Names may hold folders, divided by `/`. The same names are refused on every system.
 * @param folder ours, taken as it is
 * @param names each relative, none leaving the folder
 * @throws {UserError} where a name is empty, absolute, holds `..`, a backslash, a drive, a control character, a
 * device's name, or is too long, or where a link among the folders on the way leads out of `folder`
 */
export function joinInside(folder: string, ...names: readonly string[]): string {
  for (const name of names) {
    const fault = faultOfName(name);
    if (fault)
      throw new UserError(`${JSON.stringify(printableName(name))} is no name for a file in ${folder}: ${fault}`, {
        hint:
          "It came from outside (a hub, a mirror, a downloaded file): nothing was written. Check where it " +
          "comes from.",
      });
  }
  const path = join(folder, ...names);
  const way = relative(resolve(folder), resolve(path));
  if (way === "" || way.split(sep)[0] === "..") throw new Error(`${path} leaves ${folder}`);
  refuseLinkOut(folder, path);
  return path;
}

/** What is wrong with a name from outside as a path within a folder, in words; undefined where nothing is. */
export function faultOfName(name: string): string | undefined {
  if (name === "") return "it is empty";
  if (Buffer.byteLength(name) > LONGEST_PATH) return `it has more than ${LONGEST_PATH} bytes`;
  if (/[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/.test(name)) return "it holds control characters";
  if (/\p{Surrogate}/u.test(name)) return "it is no Unicode text";
  if (name.includes("\\")) return "it holds a backslash";
  if (name.startsWith("/")) return "it is absolute";
  if (/^[a-z]:/i.test(name)) return "it names a drive";
  for (const part of name.split("/")) {
    if (part === "") return "a folder on its way has no name";
    if (part === "." || part === "..") return `"${part}" leads out of the folder`;
    if (/[. ]$/.test(part)) return "a part of it ends with a dot or a blank, which some systems drop";
    if (/[:<>"|?*]/.test(part)) return `it holds one of : < > " | ? *`;
    if (DEVICE.test(part)) return `"${part}" is a device's name on Windows`;
    if (Buffer.byteLength(part) > LONGEST_NAME) return `a part of it has more than ${LONGEST_NAME} bytes`;
  }
  return undefined;
}

/**
 * @throws {UserError} where a folder on the way from `folder` to `path` is a link that leads elsewhere; the last part
 * may be one.
 */
function refuseLinkOut(folder: string, path: string): void {
  const [top, root] = [resolve(folder), realOf(folder)];
  if (root === undefined) return;
  for (let place = dirname(resolve(path)); place.length > top.length; place = dirname(place)) {
    const real = realOf(place);
    // Not there yet, or a link to what is not there.
    if (real === undefined && !lstatSync(place, { throwIfNoEntry: false })) continue;
    if (real === undefined || !real.startsWith(root.endsWith(sep) ? root : root + sep))
      throw new UserError(`${place} is a link that leads out of ${folder}${real ? `, to ${real}` : ""}`, {
        hint: "Remove the link, or give the folder that it leads to.",
      });
    return;
  }
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
