import { type Dispatcher, EnvHttpProxyAgent } from "undici";
import { withoutCredentials } from "./addresses.js";
import { UserError } from "./errors.js";
import { printableName } from "./printable.js";

/** undici's agent for the environment's proxies; undefined where it names none. @throws {UserError} where a proxy is no address */
export function proxies(environment: NodeJS.ProcessEnv, times: EnvHttpProxyAgent.Options): Dispatcher | undefined {
  const named = (name: string): string => proxyAddress(name, environment[name.toLowerCase()] ?? environment[name]);
  const options = {
    ...times,
    httpProxy: named("HTTP_PROXY"),
    httpsProxy: named("HTTPS_PROXY"),
    noProxy: environment.no_proxy ?? environment.NO_PROXY ?? "",
    // Plain http is forwarded, as proxies expect it, not tunnelled.
    proxyTunnel: false,
  };
  if (!options.httpProxy && !options.httpsProxy) return undefined;
  // It tells each user that undici calls it experimental.
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return new EnvHttpProxyAgent(options);
  } finally {
    process.emitWarning = emitWarning;
  }
}

function proxyAddress(name: string, value: string | undefined): string {
  const text = value?.trim();
  if (!text) return "";
  const address = text.includes("://") ? text : `http://${text}`;
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
    throw new UserError(`${name} is no address of an http proxy: ${printableName(withoutCredentials(text))}`, {
      hint: `Set ${name} as http://host:port, or unset it.`,
    });
  return address;
}
