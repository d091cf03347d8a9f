import type { Protocol } from "./protocol.js";

/** The published runs of this laboratory's own experiments. */
export const published: Protocol = {
  description: "a reply is generated and read, with any prompt and any reading, as the published runs did",
  measures: "text",
  shotSource: "disjoint",
};
