import type { IncomingHttpHeaders } from "node:http";
import { isIP, isIPv6 } from "node:net";

/** What a server knows of itself when it judges whether a request was meant for it. */
export interface OwnAddress {
  /** The address or name that it was told to listen on. */
  readonly host: string;
  /**
   * Further names that it may be asked by, without a port: those of a proxy in front of it, or of this machine in a
   * network.
   */
  readonly allowedHosts?: readonly string[];
  /** Origins of other sites' pages that may ask, such as `https://lab.example`. */
  readonly allowedOrigins?: readonly string[];
}

/**
 * Why a request to a server on this machine is refused: it may be another web page's, sent by the user's own browser. A
 * name of another site that was made to point here (DNS rebinding) shows in `Host`, another page's script in `Origin`,
 * and what a page loads without a script in `Sec-Fetch-Site`. Clients that are no browsers send neither of the latter
 * two.
 * @returns undefined where the request may be answered; else a sentence for the client, to go with status 403.
 */
export function whyForeign(headers: IncomingHttpHeaders, own: OwnAddress): string | undefined {
  const { host, allowedHosts = [] } = own;
  const asked = nameOf(headers.host ?? "");
  if (asked === undefined) return "the Host header is missing or is none";
  if (!isOwnName(asked, host) && !allowedHosts.some((name) => name.toLowerCase() === asked.toLowerCase()))
    return (
      `this server does not answer to the name ${JSON.stringify(asked)}: use ` +
      `${isLoopback(host) ? "127.0.0.1 or localhost" : "its address"}`
    );
  const { origin } = headers;
  if (origin !== undefined && originHost(origin) !== headers.host?.toLowerCase() && !isAllowedOrigin(origin, own))
    return `pages of ${JSON.stringify(origin)} may not ask this server`;
  const site = headers["sec-fetch-site"];
  if ((site === "cross-site" || site === "same-site") && headers["sec-fetch-mode"] !== "navigate")
    return "other sites' pages may not ask this server";
  return undefined;
}

/** Whether an origin is another site's that may ask. */
export const isAllowedOrigin = (origin: string, { allowedOrigins = [] }: OwnAddress): boolean =>
  allowedOrigins.some((allowed) => allowed.toLowerCase() === origin.toLowerCase());

/** Whether an address or a name is this machine's own, which no other machine reaches. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return /^(::ffff:)?127(\.\d{1,3}){3}$/.test(name) || name === "::1" || name === "localhost";
}

/** An address cannot be rebound: only names can be made to point elsewhere. */
const isOwnName = (asked: string, host: string): boolean =>
  isLoopback(asked) ||
  asked.toLowerCase() === host.toLowerCase() ||
  (!isLoopback(host) && isIP(asked.replace(/^\[(.*)\]$/, "$1")) > 0);

/** The name in a Host header, without its port; IPv6 addresses keep their brackets. */
function nameOf(header: string): string | undefined {
  const [, address, name] = /^(?:\[([^\]]*)\]|([\w.-]{1,253}))(?::\d{1,5})?$/.exec(header) ?? [];
  if (address !== undefined) return isIPv6(address) ? `[${address}]` : undefined;
  return name;
}

/** The host and port of a page's origin; undefined for "null" and what is no page of the web. */
const originHost = (origin: string): string | undefined => /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase();
