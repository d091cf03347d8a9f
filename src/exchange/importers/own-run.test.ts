import { expect, it } from "vitest";
import { protocolNames } from "../../answer/index.js";
import { scoringOf } from "./own-run.js";

it("a run's scoring is that of its protocol, in the word that other tools' results have too", () => {
  expect(Object.fromEntries(protocolNames.map((name) => [name, scoringOf(name)]))).toMatchObject({
    published: "generated",
    "simple-evals": "generated",
    "lm-eval": "log-likelihood",
    letters: "first token",
  });
  expect(protocolNames.map(scoringOf)).not.toContain(undefined);
  expect(scoringOf("of a later version")).toBeUndefined();
  expect(scoringOf("toString")).toBeUndefined();
});
