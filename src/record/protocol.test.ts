import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { protocolOf, protocolSchema, protocolsApart } from "./protocol.js";

const configurationOf = (run: string) =>
  JSON.parse(readFileSync(new URL(`../../test/fixtures/runs-0.1/${run}/run.json`, import.meta.url), "utf8"))
    .configuration;

describe("a run's protocol", () => {
  it("is told of runs of version 0.1 by their configurations", () => {
    const evaluated = protocolOf({ configuration: configurationOf("evaluated") });
    expect(evaluated).toMatchObject({
      name: "published",
      prompt: "questions",
      instruction: "english",
      questionsPerRequest: 8,
      shots: 0,
      temperature: 0,
      maxTokens: 12,
      answerExtraction: "lines",
      permutations: 1,
    });
    expect(protocolSchema.safeParse(evaluated).success).toBe(true);
    expect(protocolOf({ configuration: configurationOf("finished") })).toMatchObject({
      name: "published",
      prompt: "flan-t5",
      questionsPerRequest: 1,
      answerExtraction: "first-character",
    });
    expect(protocolOf({ configuration: configurationOf("explored") })).toBeUndefined();
  });

  it("of another prompt, reading or number of examples is another, whatever the orders of options", () => {
    const one = protocolOf({ configuration: configurationOf("evaluated") })!;
    expect(protocolsApart(one, { ...one, permutations: 4, repeats: 3 })).toEqual([]);
    const other = { ...one, name: "lm-eval", shots: 5, shotSource: "first_n" };
    expect(protocolsApart(one, other)).toEqual([
      "name: published, and lm-eval",
      "shots: 0, and 5",
      "shotSource: null, and first_n",
    ]);
  });
});
