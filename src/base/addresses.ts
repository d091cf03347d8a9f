import { isIP } from "node:net";
import { UsageError } from "./errors.js";
import { printableName } from "./printable.js";

/**
 * A server's address, its credentials apart: the address may be shown, stored and compared, the header is for its
 * requests.
 */
export interface ServerAddress {
  /** Without credentials and without a slash at its end. */
  readonly address: string;
  /** The `authorization` header that the address's user and password make; undefined where it has none. */
  readonly authorization?: string;
}

/**
 * Reads a server's address as users write it: without `http://` too. This machine, IP addresses and names without a dot
 * are then asked by http, all others by https, so that no token travels in the clear.
 * @param name the variable or flag that it came from, for the message
 * @throws {UsageError} where it is no address of http or https; the message holds no credentials
 */
export function parseServerAddress(text: string, name: string): ServerAddress {
  const given = text.trim();
  let url: URL;
  try {
    url = new URL(given.includes("://") ? given : `${schemeFor(given)}://${given}`);
  } catch {
    throw notAnAddress(given, name);
  }
  if ((url.protocol !== "http:" && url.protocol !== "https:") || url.hostname === "") throw notAnAddress(given, name);
  const { username, password } = url;
  url.username = url.password = url.hash = "";
  const address = url.href.replace(/\/$/, "");
  if (!username && !password) return { address };
  const pair = `${decoded(username)}:${decoded(password)}`;
  return { address, authorization: `Basic ${Buffer.from(pair, "utf8").toString("base64")}` };
}

/** Whether {@link parseServerAddress} would take it. */
export function isServerAddress(text: string): boolean {
  try {
    parseServerAddress(text, "");
    return true;
  } catch {
    return false;
  }
}

function schemeFor(address: string): "http" | "https" {
  const host = /^(?:[^/?#]*@)?(\[[^\]]*\]|[^:/?#]*)/.exec(address)?.[1] ?? "";
  const bare = host.replace(/^\[|\]$/g, "");
  return isIP(bare) || !bare.includes(".") || /\.(localhost|local|lan|internal)\.?$/i.test(bare) ? "http" : "https";
}

const notAnAddress = (text: string, name: string): UsageError =>
  new UsageError(`${name} is no address of a server: ${printableName(withoutCredentials(text))}`, {
    hint: "Write it as http://localhost:1234/v1 or https://example.org.",
  });

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Parameters of a query that are no secret; all others' values are hidden. */
const PUBLIC_PARAMETER = /^(api-version|version|path|recursive|expand|limit|cursor|revision|page)$/i;

/**
 * A text in which no address shows its user, password or a signed or secret query: for messages, manifests, reports and
 * logs. Works on a single address, also one that is none, and on text in which addresses stand. Takes time in
 * proportion to its length.
 */
export function withoutCredentials(text: string): string {
  const shown = text
    // Up to the last @ before the host ends, as browsers read it.
    .replace(/:\/\/[^\s/?#"'<>]*@/g, "://")
    .replace(/([?&])([^\s=&#"'<>?]{1,100})=([^\s&#"'<>?]+)/g, (whole, mark: string, key: string) =>
      PUBLIC_PARAMETER.test(key) ? whole : `${mark}${key}=…`,
    )
    // A query that is nothing but a key.
    .replace(/(?<=:\/\/[^\s"'<>?#]{1,2000}\?)[^\s=&#"'<>?]+(?=$|[\s&#"'<>])/g, "…");
  // An address that cannot be read, alone: whatever stands before its last @ may be a password.
  if (/\s/.test(shown.trim()) || !shown.includes("@")) return shown;
  const scheme = shown.indexOf("://");
  const begin = scheme < 0 ? 0 : scheme + 3;
  const end = shown.lastIndexOf("@");
  const readable = scheme >= 0 && URL.canParse(shown.trim());
  return end < begin || readable ? shown : shown.slice(0, begin) + shown.slice(end + 1);
}

/**
 * A value of JSON in which every text that is an address is {@link withoutCredentials}: a configuration as it is kept
 * and shown.
 */
export function valueWithoutCredentials<T>(value: T): T {
  const shown = (part: unknown): unknown => {
    if (typeof part === "string")
      return /^\s*[a-z][a-z0-9+.-]{0,20}:\/\/\S+\s*$/i.test(part) ? withoutCredentials(part) : part;
    if (Array.isArray(part)) return part.map(shown);
    if (part === null || typeof part !== "object") return part;
    return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, shown(inner)]));
  };
  return shown(value) as T;
}
