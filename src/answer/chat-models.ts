import { z } from "zod";
import { UserError } from "../base/errors.js";
import { HttpFailure } from "../base/http-failure.js";
import { withoutTrailing } from "../base/trim.js";
import { RefusedRequest } from "./chat-errors.js";
import { BadReply } from "./chat-reply.js";

/** The ids of a server's models, as many as any server has. */
const listSchema = z.object({ data: z.array(z.object({ id: z.string().min(1).max(500) })).max(10_000) });

/**
 * The ids of the server's models. Where the base URL lacks its `/v1`, it is found there and `base` corrected. A server
 * that is not there at all is told at once, not after all retries.
 * @param ask gets `models` behind the base URL
 * @throws {UserError} where there is no such server, or it has no such list
 */
export async function modelsOf(base: { url: URL }, ask: () => Promise<unknown>, endpoint: string): Promise<string[]> {
  const given = base.url;
  const first = await listAt(ask, endpoint);
  if (Array.isArray(first)) return first;
  if (!/\/v1\/?$/.test(given.pathname)) {
    base.url = new URL(given);
    base.url.pathname = `${withoutTrailing(given.pathname, "/")}/v1`;
    const second = await listAt(ask, endpoint).catch(() => undefined);
    if (Array.isArray(second)) return second;
    base.url = given;
  }
  throw first;
}

/** The list, or the error that says why there is none at this address. */
async function listAt(ask: () => Promise<unknown>, endpoint: string): Promise<string[] | UserError> {
  const hint =
    "Is it an OpenAI-compatible server? Its base URL usually ends in /v1/ (LMSTUDIO_ENDPOINT, answerer.endpoint).";
  let list: unknown;
  try {
    list = await ask();
  } catch (error) {
    if (error instanceof HttpFailure && (error.kind === "refused" || error.kind === "unresolved")) {
      throw new UserError(`no server answers at ${endpoint} (${error.code ?? error.message})`, {
        hint:
          "Start the server (in LM Studio: Developer, Start Server; or mmmlu serve), or set LMSTUDIO_ENDPOINT or " +
          "answerer.endpoint.",
        cause: error,
      });
    }
    if (error instanceof RefusedRequest && (error.reply.status === 404 || error.reply.status === 405))
      return new UserError(`${endpoint} has no list of models (status ${error.reply.status})`, { hint, cause: error });
    if (error instanceof BadReply && error.isPage)
      return new UserError(`${endpoint} sent no list of models, but ${error.message}`, { hint, cause: error });
    throw error;
  }
  const read = listSchema.safeParse(list);
  return read.success
    ? read.data.data.map(({ id }) => id)
    : new UserError(`${endpoint} sent no list of models`, { hint });
}
