import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { writeWhole } from "../../base/files.js";

/** A repository on the hub. */
export interface Repository {
  /** `org/name` */
  readonly name: string;
  readonly type: "dataset" | "model";
}

export const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

/*
 * The cache's layout is that of Python's `huggingface_hub`, so that each finds what the other has fetched:
 * refs/BRANCH holds a commit, snapshots/COMMIT/PATH links to blobs/ETAG, .no_exist/COMMIT/PATH is a file that the commit lacks.
 */

export const repositoryFolder = (cache: string, repository: Repository): string =>
  join(cache, `${repository.type}s--${repository.name.replaceAll("/", "--")}`);

export const snapshotFile = (folder: string, commit: string, path: string): string =>
  join(folder, "snapshots", commit, path);

/** The commit that a branch or tag had when it was last asked for. */
export function cachedCommit(folder: string, revision: string): string | undefined {
  const file = join(folder, "refs", revision);
  if (!existsSync(file)) return undefined;
  const commit = readFileSync(file, "utf8").trim();
  return isCommit(commit) ? commit : undefined;
}

export function rememberCommit(folder: string, revision: string, commit: string): void {
  if (revision !== commit) writeWhole(join(folder, "refs", revision), commit);
}

const absenceFile = (folder: string, commit: string, path: string): string => join(folder, ".no_exist", commit, path);

/** Whether a commit is known to have no such file: that need not be asked again. */
export const isKnownAbsent = (folder: string, commit: string, path: string): boolean =>
  existsSync(absenceFile(folder, commit, path));

export const rememberAbsence = (folder: string, commit: string, path: string): void =>
  writeWhole(absenceFile(folder, commit, path), "");

/** Links a snapshot's path to a blob. */
export function linkBlob(folder: string, commit: string, path: string, etag: string): string {
  const link = snapshotFile(folder, commit, path);
  mkdirSync(dirname(link), { recursive: true });
  if (lstatSync(link, { throwIfNoEntry: false })) rmSync(link);
  symlinkSync(relative(dirname(link), join(folder, "blobs", etag)), link);
  return link;
}
