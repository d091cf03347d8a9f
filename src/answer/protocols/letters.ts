import type { Protocol } from "./protocol.js";

/** Hendrycks' original way (2021), for servers that send the likeliest tokens and no prompt's. */
export const letters: Protocol = {
  description: "one next token: the likeliest of the letters among the `top_logprobs` that the server sends",
  measures: "next-token",
  reading: "letter",
  shotSource: "disjoint",
};
