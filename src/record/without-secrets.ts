import { withoutCredentials } from "../base/addresses.js";

/**
 * A configuration or command line as it may be kept and shown: addresses in it have no user, password or secret query.
 * What runs uses the one that was given.
 */
export function withoutSecrets<T>(value: T, key = ""): T {
  if (typeof value === "string")
    return (
      value.includes("://") || key.endsWith("endpoint") || value.includes("endpoint=")
        ? withoutCredentials(value)
        : value
    ) as T;
  if (Array.isArray(value)) return value.map((one) => withoutSecrets<unknown>(one)) as T;
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, withoutSecrets<unknown>(one, name)]),
  ) as T;
}
