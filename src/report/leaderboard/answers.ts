import { basename } from "node:path";
import { type Prediction, questionOfAnswer, readPredictions } from "../../evaluate/index.js";
import { importerOf } from "../../exchange/index.js";
import { categoryOf } from "../../tasks/index.js";

/** Names by numbers, in the order in which they were met. */
class Names {
  readonly all: string[] = [];
  private readonly numbers = new Map<string, number>();

  numberOf(name: string): number {
    const known = this.numbers.get(name);
    if (known !== undefined) return known;
    this.numbers.set(name, this.all.length);
    return this.all.push(name) - 1;
  }
}

/**
 * The rows that any of several runs answered, each once, by numbers: some 150 bytes a row, however many runs. A row
 * that two runs were asked with different true answers is two rows: they ran on different data.
 */
export class RowTable {
  readonly languages = new Names();
  readonly categories = new Names();
  readonly subjects = new Names();
  private readonly rows = new Names();
  private readonly questions = new Names();
  /** By row. */
  readonly language: number[] = [];
  readonly category: number[] = [];
  readonly subject: number[] = [];
  readonly question: number[] = [];

  get length(): number {
    return this.rows.all.length;
  }

  numberOf(answer: Pick<Prediction, "id" | "answer" | "language" | "subject" | "category" | "question">): number {
    const row = this.rows.numberOf(`${answer.id} ${answer.answer}`);
    if (row < this.language.length) return row;
    this.language.push(this.languages.numberOf(answer.language));
    this.category.push(this.categories.numberOf(answer.category ?? categoryOf(answer.subject)));
    this.subject.push(this.subjects.numberOf(answer.subject));
    this.question.push(this.questions.numberOf(questionOfAnswer(answer)));
    return row;
  }
}

/** What one has answered, by row number. */
export class RowAnswers {
  private marks = new Uint8Array(1024);
  private count = 0;

  /** Rows answered. */
  get size(): number {
    return this.count;
  }

  add(row: number, right: boolean): void {
    if (row >= this.marks.length) {
      const wider = new Uint8Array(Math.max(row + 1, 2 * this.marks.length));
      wider.set(this.marks);
      this.marks = wider;
    }
    if (this.marks[row] === 0) this.count++;
    this.marks[row] = right ? 2 : 1;
  }

  has(row: number): boolean {
    return (this.marks[row] ?? 0) > 0;
  }

  /** False of a row that was not answered too. */
  right(row: number): boolean {
    return this.marks[row] === 2;
  }

  /** These and another's, who answered other rows. */
  with(other: RowAnswers): RowAnswers {
    const both = new RowAnswers();
    for (const answers of [this, other]) for (const row of answers.rows()) both.add(row, answers.right(row));
    return both;
  }

  /** The rows answered, by number. */
  *rows(): Generator<number> {
    for (let row = 0; row < this.marks.length; row++) if (this.marks[row]! > 0) yield row;
  }
}

/**
 * A run's answers by stage.
 * @param path of its `predictions.jsonl`, or of another tool's result
 * @throws {UserError} where it cannot be read
 */
export async function readAnswers(path: string, table: RowTable): Promise<Map<string, RowAnswers>> {
  const stages = new Map<string, RowAnswers>();
  for await (const prediction of answersAt(path)) {
    let answers = stages.get(prediction.stage);
    if (!answers) stages.set(prediction.stage, (answers = new RowAnswers()));
    answers.add(table.numberOf(prediction), prediction.prediction === prediction.answer);
  }
  return stages;
}

async function* answersAt(path: string): AsyncGenerator<Prediction> {
  const importer = basename(path) === "predictions.jsonl" ? undefined : importerOf(path);
  if (!importer) return yield* readPredictions(path);
  for (const { predictions } of await importer.read(path)) yield* predictions;
}
