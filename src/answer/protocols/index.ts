/** How is measured: one more protocol is a file here and a line in this one. */
import { letters } from "./letters.js";
import { lmEval } from "./lm-eval.js";
import type { Protocol } from "./protocol.js";
import { published } from "./published.js";
import { simpleEvals } from "./simple-evals.js";

export { type Protocol, type ShotSource, shotSources } from "./protocol.js";

/** All protocols by the names that configurations give them. */
export const protocols = {
  published,
  "simple-evals": simpleEvals,
  "lm-eval": lmEval,
  letters,
} as const satisfies Record<string, Protocol>;

export type ProtocolName = keyof typeof protocols;

/** The names of all protocols, as a configuration's schema needs them. */
export const protocolNames = Object.keys(protocols) as [ProtocolName, ...ProtocolName[]];
