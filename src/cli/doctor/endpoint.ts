import { chatServer, endpointOf } from "../../answer/index.js";
import { withoutCredentials } from "../../base/addresses.js";
import { messageOf, UserError } from "../../base/errors.js";
import { experiments } from "../../experiments/index.js";
import type { Check } from "./check.js";

const { model } = experiments["gemma-3-27b-baseline"].preset.answerer;

/** The server that the zero-shot experiment asks, by its list of models. */
export const endpoint: Check = {
  name: "chat server",
  async look({ environment }) {
    const name = "chat server";
    const server = chatServer({
      model,
      temperature: 0,
      logProbabilities: false,
      timeoutSeconds: 10,
      retries: 0,
      seed: 0,
      environment,
    });
    try {
      await server.prepare();
      return [{ name, state: "ok", what: `${withoutCredentials(endpointOf(null, environment))} has ${model}` }];
    } catch (error) {
      const mend = error instanceof UserError ? error.hint : undefined;
      return [{ name, state: "missing", what: messageOf(error), neededFor: "gemma-3-27b-baseline", mend }];
    } finally {
      await server.close();
    }
  },
};
