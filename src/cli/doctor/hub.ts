import { messageOf } from "../../base/errors.js";
import { HttpClient } from "../../base/http.js";
import { printableName } from "../../base/printable.js";
import { type HubSettings, hubSettings } from "../../data/index.js";
import { experiments } from "../../experiments/index.js";
import type { Check, Finding } from "./check.js";

/** A model whose licence an account has to accept. */
const GATED = experiments["gemma-2-2b-finetune"].preset.model.source;

export const hub: Check = {
  name: "hub",
  async look({ environment, offline }) {
    const settings = hubSettings({ environment, offline });
    const has = settings.authorization === undefined ? "no token" : "a token";
    if (settings.offline)
      return [{ name: "hub", state: "ok", what: `${settings.endpoint} is not asked (offline); ${has} is set` }];
    const client = new HttpClient(environment);
    try {
      const status = await statusOf(client, settings, "api/whoami-v2");
      return [reachable(settings, status), await token(client, settings, status)];
    } catch (error) {
      const mend = "check the network and HTTPS_PROXY, or set HF_ENDPOINT to a mirror; what is in the cache is used";
      return [{ name: "hub", state: "missing", what: messageOf(error), neededFor: "downloads", mend }];
    } finally {
      await client.close();
    }
  },
};

async function statusOf(client: HttpClient, { endpoint, authorization }: HubSettings, path: string): Promise<number> {
  const { status } = await client.ask({
    method: path.startsWith("api/") ? "GET" : "HEAD",
    url: `${endpoint}/${path}`,
    headers: authorization === undefined ? [] : ["authorization", authorization],
    timeoutMilliseconds: 10_000,
    maximumBytes: 1 << 20,
  });
  return status;
}

const reachable = ({ endpoint }: HubSettings, status: number): Finding =>
  status < 500
    ? { name: "hub", state: "ok", what: `${printableName(endpoint)} answers` }
    : {
        name: "hub",
        state: "missing",
        what: `${printableName(endpoint)} answers with status ${status}`,
        neededFor: "downloads",
        mend: "try again later, or set HF_ENDPOINT to a mirror",
      };

async function token(client: HttpClient, settings: HubSettings, whoami: number): Promise<Finding> {
  const name = "hub's token";
  const neededFor = "gemma-2-2b-finetune";
  const mend = `accept the licence of ${GATED} on its page, then: hf auth login (or set HF_TOKEN)`;
  if (settings.authorization === undefined) return { name, state: "missing", what: "none is set", neededFor, mend };
  if (whoami === 401 || whoami === 403)
    return {
      name,
      state: "broken",
      what: "the hub does not know it",
      neededFor,
      mend: "hf auth login (or set HF_TOKEN)",
    };
  const gate = await statusOf(client, settings, `${GATED}/resolve/main/config.json`);
  return gate === 401 || gate === 403
    ? { name, state: "missing", what: `its account has no access to ${GATED}`, neededFor, mend }
    : { name, state: "ok", what: `its account has access to ${GATED}` };
}
