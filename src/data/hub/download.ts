import { createHash } from "node:crypto";
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, join } from "node:path";
import { checkStopped, messageOf, UserError } from "../../base/errors.js";
import { isSystemError } from "../../base/files.js";
import { joinInside } from "../../base/inside.js";
import { lockFolderIfFree } from "../../base/lock.js";
import { LONGEST_TEXT } from "../../base/text.js";
import {
  blobFile,
  isKnownAbsent,
  linkBlob,
  type Repository,
  rememberAbsence,
  repositoryFolder,
  snapshotFile,
} from "./cache.js";
import { hubError, offlineError } from "./errors.js";
import { causeOf, isHopeless, patientFetch, pauseFor } from "./patient-fetch.js";
import { authorized, HubRefusal } from "./requests.js";
import type { HubSettings } from "./settings.js";

/**
 * Files of a repository at a commit, fetched into the standard cache where they are not there yet.
 * @returns their paths on disk, in the order asked for
 */
export async function downloadFiles(
  repository: Repository,
  commit: string,
  paths: readonly string[],
  settings: HubSettings,
): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) found.push(await downloadFile(repository, commit, path, settings));
  return found;
}

/**
 * One file of a repository at a commit: from the cache without asking the network, else fetched. An interrupted file
 * goes on where it stopped, in this run or a later one.
 * @throws {UserError} saying what to do
 */
export async function downloadFile(
  repository: Repository,
  commit: string,
  path: string,
  settings: HubSettings,
): Promise<string> {
  const file = await downloadFileIfThere(repository, commit, path, settings);
  if (file === undefined && settings.offline) throw offlineError(repository, `file ${path}`, settings);
  if (file === undefined)
    throw hubError(new HubRefusal(404), repository, `file ${path} at ${commit.slice(0, 12)}`, settings);
  return file;
}

/** As {@link downloadFile}; undefined where the repository has no such file, or offline none is in the cache. */
export async function downloadFileIfThere(
  repository: Repository,
  commit: string,
  path: string,
  settings: HubSettings,
): Promise<string | undefined> {
  const folder = repositoryFolder(settings.cache, repository);
  const there = snapshotFile(folder, commit, path);
  if (existsSync(there)) return there;
  if (settings.offline || isKnownAbsent(folder, commit, path)) return undefined;
  let info: FileInfo | undefined;
  try {
    info = await fileInfo(repository, commit, path, settings);
  } catch (error) {
    throw hubError(error, repository, `file ${path}`, settings);
  }
  if (!info) {
    rememberAbsence(folder, commit, path);
    return undefined;
  }
  try {
    return await fetchInto(folder, repository, commit, path, info, settings);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new UserError(`cannot write into the hub's cache ${folder}: ${messageOf(error)}`, {
      hint:
        "What was fetched is kept. Look after the disk and whether you may write there, or set HF_HOME to another " +
        "folder, and run the same command again.",
      cause: error,
    });
  }
}

async function fetchInto(
  folder: string,
  repository: Repository,
  commit: string,
  path: string,
  info: FileInfo,
  settings: HubSettings,
): Promise<string> {
  const blob = blobFile(folder, info.etag);
  const before = inodeOf(blob);
  // Whoever removes a damaged file removes a link: its bytes are not taken again as they are.
  const fresh = before === undefined || (await faultOf(blob, info)) !== undefined || hashNamedBy(info) === undefined;
  if (fresh) {
    mkdirSync(join(folder, "blobs"), { recursive: true });
    checkRoom(folder, path, info.size);
    const release = await turnToFetch(
      joinInside(settings.cache, ".locks", basename(folder), info.etag),
      path,
      settings,
    );
    try {
      // Another run may have been faster.
      if (inodeOf(blob) === before) await fetchBlob(repository, commit, path, blob, info, settings);
    } finally {
      release();
    }
  }
  return linkBlob(folder, commit, path, info.etag, fresh);
}

interface FileInfo {
  readonly etag: string;
  readonly size: number;
}

const resolveUrl = (repository: Repository, commit: string, path: string, settings: HubSettings): string => {
  const place = `${repository.type === "dataset" ? "datasets/" : ""}${repository.name}`;
  return `${settings.endpoint}/${place}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`;
};

/**
 * A file's name in the cache and its size, as Python asks for them: from the hub's own answer, before the redirect to
 * its storage, whose ETag is another.
 */
async function fileInfo(
  repository: Repository,
  commit: string,
  path: string,
  settings: HubSettings,
): Promise<FileInfo | undefined> {
  let url = resolveUrl(repository, commit, path, settings);
  for (let hops = 0; hops < 5; hops++) {
    const response = await patientFetch(settings)(url, {
      method: "HEAD",
      redirect: "manual",
      headers: { ...authorized(url, settings), "accept-encoding": "identity" },
    });
    const etag = (response.headers.get("x-linked-etag") ?? response.headers.get("etag"))
      ?.replace(/^W\//, "")
      .replaceAll('"', "");
    const size = Number(response.headers.get("x-linked-size") ?? response.headers.get("content-length") ?? Number.NaN);
    const location = response.headers.get("location");
    if (response.status >= 300 && response.status < 400 && location && !response.headers.get("x-linked-etag")) {
      // A repository that was renamed.
      url = new URL(location, url).href;
      continue;
    }
    if (response.status === 404 && response.headers.get("x-error-code") === "EntryNotFound") return undefined;
    if (response.status >= 400) throw HubRefusal.of(response);
    if (
      !etag ||
      !/^\w[\w.-]{0,199}$/.test(etag) ||
      /\.(incomplete|copy)$/.test(etag) ||
      !(Number.isSafeInteger(size) && size >= 0)
    )
      throw new UserError(`the hub's answer for ${path} has no ETag and size that can be used`, {
        hint: "Is HF_ENDPOINT a hub or a mirror of it?",
      });
    if (size > mostBytes(path))
      throw new UserError(
        `the hub says that ${path} has ${size} bytes, more than the ${mostBytes(path)} that such a file may have`,
        {
          hint: "Is it the right repository?",
        },
      );
    return { etag, size };
  }
  throw new Error(`too many redirects for ${path}`);
}

/** Bytes that a file may have: those that are read as a whole have fewer. */
const mostBytes = (path: string): number =>
  /\.(json|txt|jinja|model|md)$/.test(path) ? LONGEST_TEXT : /\.csv$/.test(path) ? 16e9 : 1e13;

/** @throws {UserError} where the disk has no room for a file: told before hours of downloading */
function checkRoom(folder: string, path: string, size: number): void {
  const { bavail, bsize } = statfsSync(folder);
  if (size > bavail * bsize)
    throw new UserError(
      `${path} has ${(size / 1e6).toFixed(1)} MB, and ${folder} has room for ${((bavail * bsize) / 1e6).toFixed(1)} MB`,
      { hint: "Free some space, or set HF_HOME to a folder on another disk." },
    );
}

/** @throws the system's error where the cache cannot be written: what to do is another thing than of a run's folder */
function lockInCache(lock: string): (() => void) | undefined {
  try {
    return lockFolderIfFree(lock);
  } catch (error) {
    throw error instanceof UserError && isSystemError(error.cause) ? error.cause : error;
  }
}

/** Two that write into one unfinished file spoil it: the second waits until the first has it, or has given up. */
async function turnToFetch(lock: string, path: string, settings: HubSettings): Promise<() => void> {
  for (let told = false; ; ) {
    const release = lockInCache(lock);
    if (release) return release;
    if (!told) settings.progress.say(`another run is fetching ${path}: waiting for it`);
    told = true;
    await pauseFor(0.2, settings.signal);
  }
}

async function fetchBlob(
  repository: Repository,
  commit: string,
  path: string,
  blob: string,
  expected: FileInfo,
  settings: HubSettings,
): Promise<void> {
  const partial = `${blob}.incomplete`;
  const url = resolveUrl(repository, commit, path, settings);
  const request = patientFetch(settings);
  settings.progress.begin(`fetching ${repository.name} ${path}`, expected.size);
  for (let attempt = 0; ; attempt++) {
    const have = existsSync(partial) ? statSync(partial).size : 0;
    if (have === expected.size && have > 0) break;
    try {
      // A redirect to another host drops the authorization: fetch's own rule.
      const response = await request(url, {
        headers: {
          ...authorized(url, settings),
          "accept-encoding": "identity",
          ...(have > 0 && have < expected.size ? { range: `bytes=${have}-` } : {}),
        },
      });
      if (!response.ok || !response.body) throw HubRefusal.of(response);
      await append(
        partial,
        response,
        response.status === 206 ? rangeStart(response, have) : 0,
        expected.size,
        settings,
      );
    } catch (error) {
      // The disk's errors come as they are, the network's as causes of fetch's own.
      if (isSystemError(error)) throw error;
      if (error instanceof HubRefusal || error instanceof UserError || isHopeless(error))
        throw hubError(error, repository, `file ${path}`, settings);
      checkStopped(settings.signal);
      if (attempt >= settings.retries) throw hubError(error, repository, `file ${path}`, settings);
      settings.progress.say(`the connection broke (${causeOf(error)}); going on where it stopped`);
      await pauseFor(settings.retrySeconds, settings.signal);
      continue;
    }
    break;
  }
  await verify(partial, path, expected);
  renameSync(partial, blob);
  settings.progress.end(`${(expected.size / 1e6).toFixed(1)} MB`);
}

/** Where a part begins that a server gives; a part of another place than was asked for is not taken. */
function rangeStart(response: Response, asked: number): number {
  const start = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1];
  if (start !== undefined && Number(start) !== asked)
    throw new UserError(`the server was asked for the bytes from ${asked} on, and gives those from ${start} on`, {
      hint: "Is HF_ENDPOINT a hub or a mirror of it?",
    });
  return asked;
}

async function append(
  partial: string,
  response: Response,
  from: number,
  size: number,
  settings: HubSettings,
): Promise<void> {
  const file = openSync(partial, from > 0 ? "r+" : "w");
  let at = from;
  try {
    if (from > 0) ftruncateSync(file, from);
    for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
      if (at + piece.length > size) {
        rmSync(partial, { force: true });
        throw new UserError(
          `more than the ${size} bytes came that the hub had stated; what was fetched is thrown away`,
          {
            hint: "Run the same command again; if it comes again, the server is broken.",
          },
        );
      }
      try {
        for (let done = 0; done < piece.length; ) done += writeSync(file, piece, done, piece.length - done, at + done);
      } catch (error) {
        throw new UserError(`cannot write ${partial}: ${messageOf(error)}`, {
          hint: "Free some space and run the same command again: it goes on where it stopped.",
          cause: error,
        });
      }
      at += piece.length;
      settings.progress.update(at);
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  if (at < size) throw new Error(`${at} of ${size} bytes came`);
}

/** Large files are named by their SHA-256, small ones by git's SHA-1 of the blob; a mirror may have other names. */
const hashNamedBy = ({ etag }: FileInfo): "sha256" | "sha1" | undefined =>
  /^[0-9a-f]{64}$/.test(etag) ? "sha256" : /^[0-9a-f]{40}$/.test(etag) ? "sha1" : undefined;

/** What is wrong with a file's bytes, as far as its size and its name tell; undefined where nothing is. */
async function faultOf(file: string, expected: FileInfo): Promise<string | undefined> {
  const { size } = statSync(file);
  if (size !== expected.size) return `${size} bytes came, expected ${expected.size}`;
  const algorithm = hashNamedBy(expected);
  if (!algorithm) return undefined;
  const hash = createHash(algorithm);
  if (algorithm === "sha1") hash.update(`blob ${size}\0`);
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
  const digest = hash.digest("hex");
  return digest === expected.etag
    ? undefined
    : `its ${algorithm.toUpperCase()} is ${digest}, the hub says ${expected.etag}`;
}

async function verify(partial: string, path: string, expected: FileInfo): Promise<void> {
  const fault = await faultOf(partial, expected);
  if (fault === undefined) return;
  rmSync(partial, { force: true });
  throw new UserError(`${path}: ${fault}; what was fetched is thrown away`, { hint: "Run the same command again." });
}

/** What tells a file from one that takes its name; undefined where there is none. */
const inodeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino;
