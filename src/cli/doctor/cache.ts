import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../base/errors.js";
import { hubSettings } from "../../data/index.js";
import type { Check, Finding } from "./check.js";
import { type Need, needs } from "./needs.js";

/** Whether the hub's cache holds a snapshot of a repository, of whatever files. */
export function isCached(cache: string, { name, type }: Need["repositories"][number]): boolean {
  const snapshots = join(cache, `${type}s--${name.replaceAll("/", "--")}`, "snapshots");
  return existsSync(snapshots) && readdirSync(snapshots).some((commit) => readdirSync(join(snapshots, commit)).length);
}

export const cache: Check = {
  name: "cache",
  async look({ environment }) {
    const folder = hubSettings({ environment }).cache;
    if (existsSync(folder)) {
      try {
        accessSync(folder, constants.W_OK);
      } catch (error) {
        const mend = "let this user write there, or set HF_HOME to another folder";
        return [{ name: "cache", state: "broken", what: messageOf(error), neededFor: "downloads", mend }];
      }
    }
    return needs.map(({ experiment, repositories, download }): Finding => {
      const missing = repositories.filter((one) => !isCached(folder, one)).map(({ name }) => name);
      const megabytes = download && (download / 1e6).toLocaleString("en", { maximumFractionDigits: 0 });
      return missing.length === 0
        ? { name: `files of ${experiment}`, state: "ok", what: `in the cache, ${folder}` }
        : {
            name: `files of ${experiment}`,
            state: "missing",
            what: `not in the cache: ${missing.join(", ")}`,
            neededFor: `${experiment} with --offline`,
            mend: `mmmlu run ${experiment} fetches them${megabytes ? ` (${megabytes} MB in all)` : ""}`,
          };
    });
  },
};
