import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { visitRecords } from "../src/data/csv-records.js";
import { SHARED } from "./train/examples.js";

/** The folder of a vocabulary beside the repository. */
export const vocabulary = (name: string): string => join(SHARED, "tokenizers", name);

/**
 * A corpus of the real size in the layout of openai/MMMLU (text re-spelled), written below the system's folder for
 * temporary files: whoever asks removes it.
 * @param languages such as `DE_DE,FR_FR`; all of them unless given
 * @returns its folder; undefined where nothing beside the repository writes one
 */
export function writeCorpus(languages?: string): string | undefined {
  const program = join(SHARED, "data", "make-corpus.mjs");
  if (!existsSync(program)) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "mmmlu-corpus-"));
  execFileSync(process.execPath, [program, folder, ...(languages ? ["--languages", languages] : [])], {
    stdio: "ignore",
  });
  return folder;
}

const cell = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Each word's letters, turned round by some places: as long as before, and other pieces. */
const respelled = (text: string, by: number): string =>
  by === 0
    ? text
    : text.replace(/\p{L}{2,}/gu, (word) => {
        const letters = [...word];
        const at = by % letters.length;
        return [...letters.slice(at), ...letters.slice(0, at)].join("");
      });

/**
 * The corpus of another size: below 1 every so many rows, above 1 so many copies, each spelled in its own way and with
 * its own numbers.
 */
export function scaledCorpus(from: string, factor: number, to: string): void {
  mkdirSync(join(to, "test"), { recursive: true });
  for (const file of readdirSync(join(from, "test"))) {
    const rows: string[][] = [];
    visitRecords(join(from, "test", file), (_index, _line, cells) => {
      rows.push([...cells]);
      return true;
    });
    const [head, ...body] = rows as [string[], ...string[][]];
    const kept = factor >= 1 ? body : body.filter((_, at) => at % Math.round(1 / factor) === 0);
    const lines = [head.map(cell).join(",")];
    for (let copy = 0; copy < Math.max(1, factor); copy++)
      for (const [number, question, a, b, c, d, answer, subject] of kept as string[][])
        lines.push(
          [
            String(Number(number) + 10_000 * copy),
            ...[question!, a!, b!, c!, d!].map((text) => respelled(text, copy)),
            answer!,
            subject!,
          ]
            .map(cell)
            .join(","),
        );
    writeFileSync(join(to, "test", file), `${lines.join("\n")}\n`);
  }
}
