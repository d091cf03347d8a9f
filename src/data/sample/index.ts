import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeWhole } from "../../base/files.js";
import { VERSION } from "../../base/versions.js";
import { LANGUAGES, type Language, mmmlu, SUBJECTS } from "../../tasks/index.js";
import { SAMPLE_WORDS } from "./words.js";

const LETTERS = mmmlu.letters;

/*
 * The embedded sample: questions of our own in MMMLU's layout, so that every command runs without a network. Each asks
 * which of four words names a living being; just one does. That can be told from the words alone, which a tiny model
 * can learn; the right choice's place and its letter are drawn evenly, so that neither gives a hint. Figures on it mean
 * nothing about MMMLU.
 */

/** The places of a question's choices. */
const PLACES = LETTERS.map((_, place) => place);

/** Questions of each subject. */
export const SAMPLE_QUESTIONS = 40;
const SEED = 20240923;

interface SampleQuestion {
  readonly wording: number;
  /** For each choice: its word's place in the list of living beings or of things. */
  readonly words: readonly number[];
  readonly answer: number;
}

/** mulberry32: enough for drawing words, and the same everywhere. */
function draws(seed: number): (under: number) => number {
  let state = seed >>> 0;
  return (under) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * under);
  };
}

/** All questions, the same in every language, by subject. */
function sampleQuestions(): SampleQuestion[][] {
  const draw = draws(SEED);
  const { questions, living, things } = SAMPLE_WORDS.DE_DE;
  return SUBJECTS.map(() => {
    const subject: SampleQuestion[] = [];
    for (let index = 0; index < SAMPLE_QUESTIONS; index++) {
      // Each letter is right equally often within a subject; the order is drawn.
      const block = index % PLACES.length === 0 ? shuffle([...PLACES], draw) : undefined;
      if (block)
        subject.push(
          ...block.map((answer) => ({
            wording: draw(questions.length),
            answer,
            words: choose(answer, living.length, things.length, draw),
          })),
        );
    }
    return subject;
  });
}

function choose(answer: number, living: number, things: number, draw: (under: number) => number): number[] {
  const others = shuffle(
    Array.from({ length: things }, (_, index) => index),
    draw,
  );
  return PLACES.map((place) => (place === answer ? draw(living) : (others[place] as number)));
}

function shuffle(values: number[], draw: (under: number) => number): number[] {
  for (let i = values.length - 1; i > 0; i--) {
    const j = draw(i + 1);
    [values[i], values[j]] = [values[j] as number, values[i] as number];
  }
  return values;
}

const sampleFileOf = (folder: string, language: Language): string =>
  join(folder, "test", `mmlu_${language.replace("_", "-")}.csv`);

/**
 * Writes the sample as `FOLDER/test/mmlu_XX-YY.csv`, each file whole: several processes may do so at once, their files
 * are the same.
 */
export function writeSample(folder: string): void {
  const questions = sampleQuestions();
  for (const language of LANGUAGES) writeWhole(sampleFileOf(folder, language), sampleFile(language, questions));
}

function sampleFile(language: Language, questions: readonly (readonly SampleQuestion[])[]): string {
  const { questions: wordings, living, things } = SAMPLE_WORDS[language];
  const lines = [",Question,A,B,C,D,Answer,Subject"];
  questions.forEach((subject, s) => {
    subject.forEach((question, index) => {
      const choices = question.words.map(
        (word, place) => (place === question.answer ? living[word] : things[word]) as string,
      );
      // As in MMMLU: one language has file names behind some subjects.
      const name = language === "SW_KE" && s % 19 === 0 ? `${SUBJECTS[s]}_test.csv_sw-KE.csv` : (SUBJECTS[s] as string);
      lines.push(
        [String(index), wordings[question.wording] as string, ...choices, LETTERS[question.answer] as string, name]
          .map(cell)
          .join(","),
      );
    });
  });
  return `${lines.join("\n")}\n`;
}

const cell = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/**
 * The sample's folder, written where it is not there yet (about 3 MB, below the system's folder for temporary files).
 */
export function sampleFolder(): string {
  const folder = join(tmpdir(), `mmmlu-lab-sample-${VERSION}-${process.getuid?.() ?? 0}`);
  // What tidies the folder for temporary files takes single files away.
  if (LANGUAGES.every((language) => existsSync(sampleFileOf(folder, language)))) return folder;
  writeSample(folder);
  return folder;
}
