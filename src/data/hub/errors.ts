import { UserError } from "../../base/errors.js";
import type { Repository } from "./cache.js";
import { causeOf } from "./patient-fetch.js";
import { HubRefusal } from "./requests.js";
import type { HubSettings } from "./settings.js";

/** What a failed request to the hub means, and what to do. */
export function hubError(error: unknown, repository: Repository, what: string, settings: HubSettings): UserError {
  if (error instanceof UserError) return error;
  const { status, said } = error instanceof HubRefusal ? error : { status: undefined, said: "" };
  // A server may say what it was sent.
  const secret = settings.authorization?.split(" ").at(-1);
  const why = said && `: ${secret ? said.replaceAll(secret, "…") : said}`;
  const page = `${settings.endpoint}/${repository.type === "dataset" ? "datasets/" : ""}${repository.name}`;
  const where = `${repository.type} ${repository.name}${what ? `, ${what}` : ""}`;
  if (status === 401 || status === 403) {
    return new UserError(`the hub refuses ${where} (${status})${why}`, {
      hint: settings.authorization
        ? (status === 401 ? "Check that the token (HF_TOKEN, or that of hf auth login) is still valid. " : "") +
          `Accept its licence at ${page} with the account that HF_TOKEN belongs to, and check that the token ` +
          `may read it.`
        : `Accept its licence at ${page}, then set HF_TOKEN to a token from ` +
          `${settings.endpoint}/settings/tokens, or keep one with hf auth login. Without one the hub refuses a ` +
          `name that does not exist in the same way.`,
      cause: error,
    });
  }
  if (status === 404)
    return new UserError(`the hub has no ${where} (404)${why}`, {
      hint: `Check the name and the revision at ${page}; a private repository needs HF_TOKEN.`,
      cause: error,
    });
  if (status === 429)
    return new UserError(`the hub turns requests away (429) for ${where}${why}`, {
      hint:
        "Wait a few minutes and run the same command again: what is fetched is kept. With HF_TOKEN the limit " +
        "is higher.",
      cause: error,
    });
  if (status !== undefined && status < 500)
    return new UserError(`the hub does not give ${where} (${status})${why}`, {
      hint: `Look at ${page} for the reason, and whether HF_ENDPOINT is a hub or a mirror of it.`,
      cause: error,
    });
  if (status !== undefined)
    return new UserError(`the hub answers with an error of its own (${status}) for ${where}${why}`, {
      hint: "Run the same command again later: what is fetched is kept.",
      cause: error,
    });
  return new UserError(`cannot reach the hub at ${settings.endpoint} for ${where}: ${causeOf(error)}`, {
    hint: "Check the network and HF_ENDPOINT, or set it to a mirror; what is in the cache needs none (--offline).",
    cause: error,
  });
}

export const offlineError = (repository: Repository, what: string, settings: HubSettings): UserError =>
  new UserError(
    `${what} of ${repository.type} ${repository.name} is not in the cache (${settings.cache}), and --offline ` +
      `forbids asking for it`,
    {
      hint: "Run once without --offline (and without HF_HUB_OFFLINE).",
    },
  );
