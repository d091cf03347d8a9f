import { existsSync, statSync } from "node:fs";
import { UserError } from "../base/errors.js";
import {
  downloadFile,
  type HubSettings,
  hubSettings,
  isRepositoryName,
  type Repository,
  resolveCommit,
} from "../data/hub/index.js";
import { partCount, partPath } from "./file.js";

/** Whether a source names a GGUF file, here or on the hub. */
export const isGguf = (source: string): boolean => /\.gguf$/i.test(source);

export interface GgufPlaceOptions {
  /** Branch, tag or commit of a hub repository; of no meaning for a file. */
  readonly revision?: string | null;
  readonly hub?: HubSettings;
}

/**
 * A GGUF file's path: of a local file, or of one on the hub (`owner/repository:file.gguf`), downloaded where it is not
 * in the cache, with all parts of a split one.
 * @returns the hub's commit too; none for a local file
 * @throws {UserError} where there is none
 */
export async function fetchGguf(
  source: string,
  { revision, hub }: GgufPlaceOptions = {},
): Promise<{ readonly path: string; readonly commit?: string }> {
  if (existsSync(source)) {
    if (!statSync(source).isFile())
      throw new UserError(`${source} is no file`, {
        hint: "Give a .gguf file, or a repository's name with one behind it.",
      });
    return { path: source };
  }
  const [name, file, ...more] = source.split(":");
  if (!name || !file || more.length > 0 || !isRepositoryName(name))
    throw new UserError(`there is no file ${source}`, {
      hint: "Give the path of a .gguf file, or owner/repository:file.gguf for one on the hub.",
    });
  const settings = hub ?? hubSettings();
  const repository: Repository = { name, type: "model" };
  const commit = await resolveCommit(repository, revision, settings);
  const parts = partCount(file) ?? 1;
  const names = Array.from({ length: parts }, (_, i) => (parts === 1 ? file : partPath(file, i + 1)));
  const paths = [];
  for (const one of names) paths.push(await downloadFile(repository, commit, one, settings));
  return { path: paths[0]!, commit };
}
