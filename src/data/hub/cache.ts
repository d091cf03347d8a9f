import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { messageOf, UserError } from "../../base/errors.js";
import { hintForSystemError, isSystemError, writeWhole } from "../../base/files.js";
import { joinInside } from "../../base/inside.js";
import { lockFolderIfFree } from "../../base/lock.js";
import { printableName } from "../../base/printable.js";

/** A repository on the hub. */
export interface Repository {
  /** `org/name` */
  readonly name: string;
  readonly type: "dataset" | "model";
}

export const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

/** Whether a text can be a repository's name: the hub's own rule. */
export const isRepositoryName = (name: string): boolean =>
  /^(?:[A-Za-z0-9_][\w.-]{0,95}\/)?[A-Za-z0-9_][\w.-]{0,95}$/.test(name) && !/--|\.\.|\.git$|[.-]$|[.-]\//.test(name);

/*
 * The cache's layout is that of Python's `huggingface_hub`, so that each finds what the other has fetched:
 * refs/BRANCH holds a commit, snapshots/COMMIT/PATH links to blobs/ETAG, .no_exist/COMMIT/PATH is a file that the
 * commit lacks. Repositories, revisions, paths and ETags are names from outside: each is joined by `joinInside`.
 */

/** @throws {UserError} where the name is none of the hub's */
export function repositoryFolder(cache: string, repository: Repository): string {
  if (!isRepositoryName(repository.name))
    throw new UserError(`${JSON.stringify(printableName(repository.name))} is no name of a repository on the hub`, {
      hint: "Names are such as google/flan-t5-base.",
    });
  return joinInside(cache, `${repository.type}s--${repository.name.replaceAll("/", "--")}`);
}

/** @throws {UserError} where the path leaves the snapshot */
export const snapshotFile = (folder: string, commit: string, path: string): string =>
  joinInside(folder, "snapshots", commit, path);

export const blobFile = (folder: string, etag: string): string => joinInside(folder, "blobs", etag);

const refFile = (folder: string, revision: string): string => joinInside(folder, "refs", revision);

/** The commit that a branch or tag had when it was last asked for. */
export function cachedCommit(folder: string, revision: string): string | undefined {
  const file = refFile(folder, revision);
  const about = lstatSync(file, { throwIfNoEntry: false });
  if (!about?.isFile() || about.size > 200) return undefined;
  const commit = readFileSync(file, "utf8").trim();
  return isCommit(commit) ? commit : undefined;
}

export function rememberCommit(folder: string, revision: string, commit: string): void {
  if (revision !== commit) writeNameIfAllowed(folder, refFile(folder, revision), commit);
}

/** What may be asked for again is not written into a cache that one may only read, as others' often is. */
function writeNameIfAllowed(folder: string, path: string, content: string): void {
  try {
    writeName(folder, path, content);
  } catch (error) {
    if (!(error instanceof UserError) || !isReadOnly(error.cause)) throw error;
  }
}

/** Whether the system refused a write since one may only read there. */
const isReadOnly = (error: unknown): boolean =>
  isSystemError(error) && ["EACCES", "EPERM", "EROFS"].includes(error.code ?? "");

/**
 * Writes a small file of the cache whole. It is made in a folder of its own that is locked, so that what a killed
 * process left of one is found and removed by the next; several processes share the cache's own folders, where nobody
 * may tidy.
 * @throws {UserError} where it cannot be written
 */
function writeName(folder: string, path: string, content: string): void {
  let release: (() => void) | undefined;
  try {
    const desk = join(dirname(folder), ".locks", basename(folder), "names");
    release = lockFolderIfFree(desk);
    // Another process is just writing a name of this repository.
    if (!release) return writeWhole(path, content);
    const draft = join(desk, "draft");
    writeWhole(draft, content);
    mkdirSync(dirname(path), { recursive: true });
    renameSync(draft, path);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot write ${path}: ${messageOf(error)}`, { hint: hintForSystemError(error), cause: error });
  } finally {
    release?.();
  }
}

const absenceFile = (folder: string, commit: string, path: string): string =>
  joinInside(folder, ".no_exist", commit, path);

/** Whether a commit is known to have no such file: that need not be asked again. */
export const isKnownAbsent = (folder: string, commit: string, path: string): boolean =>
  existsSync(absenceFile(folder, commit, path));

export const rememberAbsence = (folder: string, commit: string, path: string): void =>
  writeNameIfAllowed(folder, absenceFile(folder, commit, path), "");

/** The paths of a commit's files in a folder of the repository that are in the cache. */
export function cachedPaths(
  repository: Repository,
  commit: string,
  inner: string,
  { cache }: { readonly cache: string },
): string[] {
  const folder = snapshotFile(repositoryFolder(cache, repository), commit, inner);
  return existsSync(folder) ? readdirSync(folder).map((name) => `${inner}/${name}`) : [];
}

/**
 * Links a snapshot's path to a blob. Where the file system has no symbolic links, a blob that was just fetched is moved
 * there, and another copied: as Python does it.
 */
export function linkBlob(folder: string, commit: string, path: string, etag: string, fresh: boolean): string {
  const link = snapshotFile(folder, commit, path);
  const blob = blobFile(folder, etag);
  mkdirSync(dirname(link), { recursive: true });
  if (lstatSync(link, { throwIfNoEntry: false })) rmSync(link);
  try {
    symlinkSync(relative(dirname(link), blob), link);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return link;
    if (code === "ENOSPC" || code === "EROFS") throw error;
    if (fresh) renameSync(blob, link);
    else {
      const whole = join(folder, "blobs", `${etag}.copy`);
      copyFileSync(blob, whole);
      renameSync(whole, link);
    }
  }
  return link;
}
