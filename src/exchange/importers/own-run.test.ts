import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { makeRun } from "../../../test/made-runs.js";
import { protocolNames } from "../../answer/index.js";
import { loadResult } from "../index.js";
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

it("a run's predictions are all that it measured, each once, or say what they lack", async () => {
  const folder = mkdtempSync(join(tmpdir(), "mmmlu-own-run-"));
  const path = join(folder, "run");
  const file = join(path, "predictions.jsonl");
  makeRun(path, { model: "m", languages: ["DE_DE"], skill: 0.5, questions: 8, furtherStages: ["test.order-1"] });
  const whole = readFileSync(file, "utf8");
  const lines = whole.trimEnd().split("\n");
  expect((await loadResult(`${path}:test`)).predictions).toHaveLength(8);
  const again = { hint: expect.stringContaining("Run the run's own command again") };
  // Torn in its last line, cut behind a line, and one line again.
  truncateSync(file, Buffer.byteLength(whole) - 20);
  await expect(loadResult(`${path}:test`)).rejects.toMatchObject({
    message: expect.stringMatching(/holds 7 of the 8 rows that were measured \(test\.order-1\)/),
  });
  writeFileSync(file, `${lines.slice(0, 3).join("\n")}\n`);
  const short = { message: expect.stringContaining("holds 3 of the 8 rows that were measured (test)"), ...again };
  await expect(loadResult(`${path}:test`)).rejects.toMatchObject(short);
  writeFileSync(file, whole);
  appendFileSync(file, `${lines[0]}\n`);
  const twice = { message: expect.stringContaining("holds DE_DE/anatomy/0 more than once (test)"), ...again };
  await expect(loadResult(`${path}:test`)).rejects.toMatchObject(twice);
  writeFileSync(file, "");
  const empty = { message: expect.stringContaining("predictions.jsonl holds no row"), ...again };
  await expect(loadResult(path)).rejects.toMatchObject(empty);
  rmSync(folder, { recursive: true });
});
