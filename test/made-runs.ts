import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { evaluationMetrics, evaluationStatistics, type Prediction, writePredictions } from "../src/evaluate/index.js";
import { generator } from "../src/split/index.js";
import { mmmlu } from "../src/tasks/index.js";

export interface MadeRun {
  readonly model: string;
  readonly languages: readonly string[];
  /** The chance that it knows a question; questions are as hard for every run of one seed. */
  readonly skill: number;
  readonly questions?: number;
  readonly seed?: number;
  /** Askings of the same rows behind the plain one. */
  readonly furtherStages?: readonly string[];
  readonly configuration?: Readonly<Record<string, unknown>>;
  readonly manifest?: Readonly<Record<string, unknown>>;
}

const SUBJECTS = ["anatomy", "high_school_world_history", "sociology", "virology"];

/** Writes the folder of a finished run that asked questions, as `mmmlu run` leaves it, without asking anybody. */
export function makeRun(path: string, made: MadeRun): void {
  const { model, languages, skill, questions = 200, seed = 1 } = made;
  const draw = generator(seed);
  const levels = Array.from({ length: questions }, () => draw.bounded(9999) / 10_000);
  const predictions = languages.flatMap((language) =>
    levels.map((level, index): Prediction => {
      const answer = mmmlu.letters[index % 4]!;
      const subject = SUBJECTS[index % SUBJECTS.length]!;
      const prediction = level < skill ? answer : mmmlu.letters[(index + 1) % 4]!;
      const id = `${language}/${subject}/${Math.floor(index / SUBJECTS.length)}`;
      return { id, language, subject, answer, prediction, reply: prediction, stage: "test" };
    }),
  );
  const name = path.split("/").at(-1)!;
  const configuration = {
    kind: "evaluate",
    name,
    data: { source: "openai/MMMLU", languages, rowsPerLanguage: null },
    filter: null,
    split: null,
    answerer: { model, prompt: "questions", questionsPerRequest: 1, instruction: "english", temperature: 0 },
    answerExtraction: "robust",
    ...made.configuration,
  };
  const begun = { format: 1, name, configurationHash: "0", configuration, started: `2026-11-26T04:00:0${seed}.000Z` };
  const write = (file: string, content: unknown): void => writeFileSync(join(path, file), JSON.stringify(content));
  mkdirSync(path, { recursive: true });
  write("run.json", { ...begun, process: 1 });
  const further = (made.furtherStages ?? []).flatMap((stage) => predictions.map((one) => ({ ...one, stage })));
  writePredictions(join(path, "predictions.jsonl"), [...predictions, ...further]);
  write("metrics.json", { ...evaluationMetrics(predictions), statistics: evaluationStatistics(predictions) });
  write("manifest.json", {
    ...begun,
    kind: "evaluate",
    finished: begun.started,
    command: [],
    versions: {},
    machine: {},
    data: { source: "openai/MMMLU", task: "mmmlu" },
    model: { name: model, kind: "chat-server", model },
    seeds: {},
    sample: false,
    notes: [],
    ...made.manifest,
  });
}
