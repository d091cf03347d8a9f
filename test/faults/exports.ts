import { createHash } from "node:crypto";
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mmmlu } from "../command.js";
import { makeRun } from "../made-runs.js";
import { writeTinyDecoder } from "../tiny-decoder.js";
import { type FaultOptions, filesIn, hashes, isUnfinished, stepped } from "./common.js";
import type { Scenario } from "./scenarios.js";

interface ExportKind {
  readonly name: string;
  /** The command; `out` stands for where it writes. */
  command(out: string): readonly string[];
  /** What it writes, below the folder that is watched. */
  readonly out: string;
  /** What is there before; nothing unless given. */
  old?(out: string): void;
}

/**
 * Every command that writes for other programs, on sources made in a folder: what is in their target's place at any
 * moment is what was there before, or all that they write.
 */
export async function exportScenarios(folder: string, options: FaultOptions): Promise<Scenario[]> {
  const at = (name: string): string => join(folder, name);
  const done = async (...given: string[]): Promise<void> => {
    const { code, error } = await mmmlu(given);
    if (code !== 0) throw new Error(`${given.join(" ")}: ${error}`);
  };
  const tuned = [...["training.epochs=1", "data.rowsPerLanguage=20"].flatMap((one) => ["--set", one])];
  await writeTinyDecoder(at("tiny"));
  await done("run", "gemma-2-2b-finetune", "--sample", "--out", at("tuned"), ...tuned);
  for (const [name, skill] of Object.entries({ first: 0.5, second: 0.6 }))
    makeRun(at(name), { model: name, languages: ["DE_DE", "FR_FR"], skill, questions: 40 });
  const batch = (out: string, most: string): string[] => [
    ...["export", "batch", "gemma-3-27b-baseline", "--sample", "--out", out, "--requests-per-file", most],
    ...["--set", "data.rowsPerLanguage=100"],
  ];
  await done(...batch(at("older-batch"), "3"));
  const results = (tool: string): ExportKind => ({
    name: `export ${tool}`,
    out: "out",
    command: (out) => ["export", tool, at("first"), "--offline", "--out", out],
  });
  const kinds: readonly ExportKind[] = [
    {
      name: "export gguf over an older file",
      out: "tiny.gguf",
      command: (out) => ["export", "gguf", at("tiny"), "--overwrite", "--out", out],
      old: (out) => writeFileSync(out, "older"),
    },
    {
      name: "export batch over an older folder",
      out: "out",
      command: (out) => batch(out, "5"),
      old: (out) => cpSync(at("older-batch"), out, { recursive: true }),
    },
    {
      ...results("lm-eval"),
      name: "export lm-eval into a folder with files",
      old: (out) => {
        cpSync(at("second"), out, { recursive: true });
      },
    },
    { name: "merge", out: "out", command: (out) => ["merge", at("tuned"), "--out", out] },
    { name: "export onnx", out: "out", command: (out) => ["export", "onnx", at("tuned"), "--out", out] },
    {
      name: "export hub",
      out: "out",
      command: (out) => ["export", "hub", at("tuned"), "--base", "org/base", "--out", out],
    },
    {
      name: "export training",
      out: "out",
      command: (out) => [...["export", "training", "gemma-2-2b-finetune", "--sample", "--out", out], ...tuned],
    },
    // export eval-results needs rows of the hub, which the sample has not.
    ...["inspect", "every-eval-ever"].map(results),
    {
      name: "compare over an older page",
      out: "comparison.html",
      command: (out) => ["compare", at("first"), at("second"), "--offline", "--out", out],
      old: (out) => writeFileSync(out, "<p>older</p></html>"),
    },
  ];
  // A small share takes some of them, another seed others.
  const first = options.seed % kinds.length;
  return [...kinds.slice(first), ...kinds.slice(0, first)]
    .slice(0, options.share < 0.1 ? 3 : kinds.length)
    .map((kind) => scenarioOf(kind));
}

const KILLS = 40;

function scenarioOf({ name, command, out, old }: ExportKind): Scenario {
  /** What may be found: files of before, and those that are written. */
  let before = new Map<string, string>();
  return {
    name,
    kills: KILLS,
    leastKills: 1,
    refusesWhole: true,
    begin: (folder) => {
      rmSync(folder, { recursive: true, force: true });
      cpSync(join(import.meta.dirname, "common.ts"), join(folder, "another's.ts"));
      old?.(join(folder, out));
      before = published(folder);
    },
    run: (folder, step) => stepped(command(join(folder, out)), step),
    result: (folder) => hashes(folder),
    kept: () => [],
    disturbed: (folder, whole) => {
      const now = published(folder);
      const target = [...now].filter(([file]) => file.startsWith(out));
      const is = (files: ReadonlyMap<string, string>): boolean =>
        [...files.keys()].filter((file) => file.startsWith(out)).length === target.length &&
        target.every(([file, hash]) => files.get(file) === hash);
      const aside = filesIn(folder).some((file) => /\.old(\/|$)/.test(file.split("/")[0]!));
      // Into a folder that others are in, file by file: each is one of before or one of those that are written.
      const mixed = target.every(([file, hash]) => before.get(file) === hash || whole.get(file) === hash);
      const keeps = [...before].every(([file]) => now.has(file));
      const sound = is(before) || is(whole) || (target.length === 0 && aside) || (mixed && keeps);
      return [
        ...(sound ? [] : [`${target.map(([file]) => file).join(", ")} is neither the old nor the new`]),
        ...(existsSync(join(folder, "another's.ts")) ? [] : ["another's file is gone"]),
      ];
    },
    close: async () => {},
  };
}

/** SHA-256 by file, of those that have their names. */
function published(folder: string): Map<string, string> {
  return new Map(
    filesIn(folder)
      .filter((file) => !isUnfinished(file))
      .map((file) => [
        file,
        createHash("sha256")
          .update(readFileSync(join(folder, file)))
          .digest("hex"),
      ]),
  );
}
