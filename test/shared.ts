import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Data for tests that no repository holds: the folder, or undefined where it is absent. */
export const sharedFolder = ((): string | undefined => {
  const folder = process.env.MMMLU_LAB_SHARED ?? resolve(root, "../shared");
  return existsSync(join(folder, "reference")) ? folder : undefined;
})();

/** For `describe.skipIf`: whether it is absent; says so once. */
export const withoutShared = ((): boolean => {
  if (!sharedFolder) console.warn("skipped: tests on real data and tokenizers (set MMMLU_LAB_SHARED to their folder)");
  return !sharedFolder;
})();

/** A path in it. */
export const shared = (...names: string[]): string => join(sharedFolder ?? "/absent", ...names);
