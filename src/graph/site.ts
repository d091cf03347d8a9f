import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** A place in the caller's source, captured cheaply: the stack's text is only made when it is asked for. */
export interface Site {
  readonly stack?: string;
}

const here = dirname(fileURLToPath(import.meta.url));

/** Remembers the place that is building a node. */
export function captureSite(): Site {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 16;
  const site = new Error();
  Error.stackTraceLimit = limit;
  return site;
}

/** `file:line:column` of the innermost frame outside the engine (its tests count as outside). */
export function describeSite(site: Site | undefined): string {
  const frames = (site?.stack ?? "").split("\n").slice(1);
  for (const frame of frames) {
    const match = /(?<![^\s(])((?:file:\/\/)?\/?[^()\s]+):(\d+):(\d+)\)?$/.exec(frame.trim());
    if (!match) continue;
    const [, where = "", line, column] = match;
    const file = where.startsWith("file://") ? fileURLToPath(where) : where;
    const inside = file.startsWith(here) && !/\.test\.[jt]s$/.test(file);
    if (inside || file.startsWith("node:")) continue;
    return `${file}:${line}:${column}`;
  }
  return "an unknown place";
}
