import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { mmmlu } from "./command.js";

const folder = mkdtempSync(join(tmpdir(), "mmmlu-own-data-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A run that takes the longest option, on three rows with this key. */
async function run(name: string, keys: string, question: string): Promise<string> {
  const place = join(folder, name);
  mkdirSync(place, { recursive: true });
  const rows = [...keys].map((key, index) => `${index},${question} ${index}?,long option,short,${key}`);
  writeFileSync(join(place, "rows.csv"), `id,question,A,B,answer\n${rows.join("\n")}\n`);
  const out = join(place, "run");
  const sets = ["filter=null", "split=null"].flatMap((one) => ["--set", one]);
  const model = ["--model", "baseline:longest", "--languages", "de"];
  const given = ["run", "gemma-3-27b-baseline", "--data", join(place, "rows.csv"), ...model, ...sets, "--out", out];
  const { code, error } = await mmmlu(given);
  expect([code, code === 0 ? "" : error]).toEqual([0, ""]);
  return out;
}

it("other data of the same name is told where runs are compared, and no row is judged by two keys", async () => {
  const first = await run("one", "AAB", "Was");
  const compared = async (other: string): Promise<{ rows: number; askedApart: string[] }> => {
    const { out, error } = await mmmlu(["compare", first, other, "--json", "--out", join(folder, "compared.html")]);
    expect(error).toBe("");
    return JSON.parse(out);
  };
  const same = await run("same", "AAB", "Was");
  expect(await compared(same)).toMatchObject({ rows: 3, askedApart: [] });
  const questions = await run("questions", "AAB", "Wo");
  expect(await compared(questions)).toMatchObject({
    rows: 3,
    askedApart: [expect.stringMatching(/rows\.csv: other data under the same name \(SHA-256 \w{12}, and \w{12}\)/)],
  });
  // The run goes on after its key was mended.
  await run("same", "ABB", "Was");
  expect(await compared(same)).toMatchObject({
    rows: 2,
    askedApart: [
      expect.stringContaining("other data under the same name"),
      expect.stringMatching(/^1 rows have different keys, such as rows\.csv:de\/all\/1: left out$/),
    ],
  });
});
