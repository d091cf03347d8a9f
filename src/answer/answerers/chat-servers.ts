import { chatServer } from "../chat-server.js";
import type { AnswererKind } from "./kind.js";

/** Models behind an OpenAI-compatible server. */
export const chatServers: AnswererKind = {
  prefix: null,
  names: "a model that the server names",
  problem: () => undefined,
  create: async (options) => chatServer(options),
};
