import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { loadCorpus } from "./corpus.js";
import { sampleFolder } from "./sample/index.js";

const folder = mkdtempSync(join(tmpdir(), "stored-rows-"));
cpSync(sampleFolder(), folder, { recursive: true });
afterAll(() => rmSync(folder, { recursive: true }));

const plain = ({
  id,
  language,
  subject,
  index,
  question,
  choices,
  answer,
  key,
  category,
}: Record<string, unknown>) => ({
  ...{ id, language, subject, index, question, choices, answer, key, category },
});

it("rows whose texts are on disk say what rows in memory say, in any order", async () => {
  const [inMemory, onDisk] = await Promise.all(
    (["in memory", "on disk"] as const).map((texts) => loadCorpus({ source: folder, texts })),
  );
  const { rows, ...about } = onDisk!;
  const { rows: expected, ...aboutExpected } = inMemory!;
  expect(about).toEqual(aboutExpected);
  expect(rows).toHaveLength(expected.length);
  const order = rows.map((_, at) => (at * 7919) % rows.length);
  for (const at of order) expect(plain(rows[at] as never)).toEqual(plain(expected[at] as never));
  rows.forEach((row, at) => expect(plain(row as never)).toEqual(plain(expected[at] as never)));
  // What is in memory of a row has none of its texts.
  expect(JSON.stringify(Object.values(rows[0]!).filter((value) => typeof value === "string"))).not.toContain(
    expected[0]!.question,
  );
});

it("a file that has changed since is told, not read", async () => {
  const { rows } = await loadCorpus({ source: folder, texts: "on disk", languages: ["DE_DE"] });
  expect(rows[3]!.question).not.toBe("");
  const [name] = readdirSync(join(folder, "test")).filter((one) => one.includes("DE-DE"));
  const path = join(folder, "test", name!);
  writeFileSync(path, readFileSync(path, "utf8").replace(/^.*\n.*\n/, "$&"));
  utimesSync(path, 1, 1);
  expect(() => rows[100]!.question).toThrow(/has changed since it was read/);
  rmSync(path);
  expect(() => rows[200]!.choices).toThrow(/cannot read .*DE-DE/);
});
