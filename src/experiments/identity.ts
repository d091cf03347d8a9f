import type { ExperimentConfiguration } from "./configuration.js";

/** A configuration without what cannot change a number: another folder is not needed where only these differ. */
export function identityOf(configuration: ExperimentConfiguration): Record<string, unknown> {
  const { tracking: _tracking, description: _description, ...rest } = configuration;
  if (rest.kind === "evaluate") {
    const {
      timeoutSeconds: _timeout,
      retries: _retries,
      concurrency: _concurrency,
      endpoint: _endpoint,
      ...answerer
    } = rest.answerer;
    // Read again with another reading, the same replies give other predictions: that is `mmmlu score`.
    return { ...rest, answerer };
  }
  if (rest.kind === "finetune") {
    const { modelLink: _link, ...run } = rest;
    const { logEvery: _log, checkpointEvery: _checkpoint, ...training } = rest.training;
    return { ...run, training };
  }
  return rest;
}
