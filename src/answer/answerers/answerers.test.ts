import { expect, it } from "vitest";
import { answererKindOf, answererKinds } from "./index.js";

const rows = { train: [{ answer: "B" }, { answer: "B" }, { answer: "A" }], test: [{ answer: "C" }] } as const;
const options = { temperature: 0, logProbabilities: false, timeoutSeconds: 1, retries: 0, seed: 1, rows };

it("a model's name tells the kind: a known prefix, or else a server's model, colons and all", () => {
  expect(answererKindOf("baseline:longest").prefix).toBe("baseline:");
  for (const model of ["llama3:8b", "gemma-3-27b-it", "baseline", "hf.co/x/y:Q4"])
    expect(answererKindOf(model).prefix).toBeNull();
  expect(answererKinds.filter(({ prefix }) => prefix === null)).toEqual([answererKinds.at(-1)]);
});

it("a choice is refused before any row is read", () => {
  const { problem } = answererKindOf("baseline:longest");
  expect(problem({ model: "baseline:longst", logProbabilities: false })).toEqual({
    option: "model",
    why: expect.stringMatching(/there are baseline:majority, .*; did you mean baseline:longest\?$/),
  });
  expect(problem({ model: "baseline:longest", logProbabilities: true })?.option).toBe("logProbabilities");
  expect(problem({ model: "baseline:longest", logProbabilities: false })).toBeUndefined();
});

it("each makes answerers; a baseline says in a note what it is", async () => {
  const majority = await answererKindOf("baseline:majority").create({ ...options, model: "baseline:majority" });
  expect(majority.note).toBe(
    "baseline:majority: always B, the most frequent answer of the rows that are not test rows (2 of 3); it " +
      "reads no question.",
  );
  const none = await answererKindOf("baseline:majority").create({
    ...options,
    rows: { ...rows, train: [] },
    model: "baseline:majority",
  });
  expect(none.note).toMatch(/always C, the most frequent answer of the test rows themselves/);
  const server = await answererKindOf("m").create({ ...options, model: "m", endpoint: "localhost:1", environment: {} });
  expect([server.name, server.note, server.identity["kind"]]).toEqual(["m", undefined, "chat-server"]);
  await server.close();
});
