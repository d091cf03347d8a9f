import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { visitRecords } from "../../src/data/csv-records.js";
import type { Example } from "../../src/models/index.js";
import { Random } from "../../src/models/random.js";
import { type Letter, mmmlu, type Row } from "../../src/tasks/index.js";
import type { Tokenizer } from "../../src/tokens/index.js";

const LETTERS = mmmlu.letters;

/** The folder of data and vocabularies beside the repository. */
export const SHARED =
  process.env.MMMLU_LAB_SHARED ?? resolve(fileURLToPath(new URL("../..", import.meta.url)), "../shared");

/**
 * The English originals of MMMLU's questions, with the columns question, choice0 to choice3, answer (0 to 3); ends the
 * process where they are absent.
 */
export function englishRows(): Pick<Row, "id" | "question" | "choices" | "answer">[] {
  const folder = join(SHARED, "data", "mmlu_en", "test");
  if (!existsSync(folder)) {
    console.error(
      `There is no ${folder}: English MMLU as CSV files, a subject each. Set MMMLU_LAB_SHARED to the folder ` +
        `that holds data/mmlu_en.`,
    );
    process.exit(2);
  }
  const rows: Pick<Row, "id" | "question" | "choices" | "answer">[] = [];
  for (const file of readdirSync(folder).sort()) {
    visitRecords(join(folder, file), (index, _line, [question, a, b, c, d, answer]) => {
      if (index > 0)
        rows.push({
          id: `${file.replace("_test.csv", "")}/${index - 1}`,
          question: question!,
          choices: [a!, b!, c!, d!],
          answer: LETTERS[Number(answer)] as Letter,
        });
      return true;
    });
  }
  return rows;
}

/** So many examples drawn at random from those under `limit` tokens: the same for the same seed. */
export async function drawExamples(
  count: number,
  tokenizer: Tokenizer,
  prompt: (row: Pick<Row, "question" | "choices">) => string,
  limit: number,
  seed = 42,
): Promise<Example[]> {
  const rows = englishRows();
  const random = new Random(seed);
  const letters = new Map<string, number[]>();
  for (const letter of LETTERS) letters.set(letter, await tokenizer.encode(letter, false));
  const drawn: Example[] = [];
  while (drawn.length < count && rows.length > 0) {
    const [row] = rows.splice(random.below(rows.length), 1);
    const input = await tokenizer.encode(prompt(row!), true);
    if (input.length < limit) drawn.push({ id: row!.id, input, target: letters.get(row!.answer)! });
  }
  return drawn;
}
