import type { Letter } from "./row.js";

/** Where a task's rows are in a file: the names of its columns. */
export interface TaskColumns {
  readonly question: string;
  /** A column an option, A first; or the one column that holds the list of them. */
  readonly options: readonly string[] | string;
  readonly answer: string;
  /** Without one all rows are of one subject, `all`. */
  readonly subject?: string;
  readonly category?: string;
  /** Without one a file holds a single language. */
  readonly language?: string;
  /** What tells which question of its subject a row is; without one the row's place within its subject does. */
  readonly index?: string;
  /** What translations of a question share, in other files too. */
  readonly key?: string;
}

/** How a file names the right option: its letter, its place from 0 or from 1, or its text. */
export const answerForms = ["letter", "number-from-0", "number-from-1", "text"] as const;
export type AnswerForm = (typeof answerForms)[number];

/**
 * A set of multiple-choice questions: all that the rest of the source must know of it. A task is one file with one of
 * these, named in `registry.ts`.
 */
export interface Task {
  /** As configurations name it. */
  readonly name: string;
  /** In a sentence. */
  readonly description: string;
  /** The data set on the hub, and the commit that is taken where none is asked for; null for its newest. */
  readonly hub?: { readonly repository: string; readonly revision: string | null };
  /** Its languages as its files code them, in order, with what BCP 47 calls each. */
  readonly languages: Readonly<Record<string, string>>;
  /** Where a language's rows are, in the repository and in a folder: `*` stands for the numbers of a file's parts. */
  readonly file: (language: string) => string;
  /** The language of a file in a folder, for folders that have other languages than the hub. */
  readonly languageOfFile?: (path: string) => string | undefined;
  readonly columns: TaskColumns;
  readonly answers: AnswerForm;
  /** The letters of the options of a row that has most. */
  readonly letters: readonly Letter[];
  /** Whether each row has all of {@link letters}; otherwise empty options at the end are none. */
  readonly everyOption: boolean;
  /** What empty questions and options are: counted and told, where a source is known to have them, or an error. */
  readonly emptyCells: "counted" | "refused";
  /**
   * The index, from 0, that the cell of `columns.index` gives for a row of a subject; undefined where it gives none.
   */
  readonly indexOf?: (cell: string, subject: string) => number | undefined;
  /** What that cell should be, for errors: `a whole number`. */
  readonly indexForm?: string;
  /** A subject without what some files have behind it. */
  readonly cleanSubject?: (subject: string) => string;
  /** An answer's cell without what some files have around it. */
  readonly cleanAnswer?: (cell: string) => string;
  /** What ids of rows begin with; MMMLU's alone begin with nothing. */
  readonly idPrefix: string;
  /** Whose questions the rows translate: MMLU's, each other's, or nobody's (each language has questions of its own). */
  readonly translations: "mmlu" | "languages" | "none";
}

/** Accuracy of answers drawn by lot among so many options. */
export const chanceOf = (options: number): number => 1 / options;

/** A cell that is a whole number from 0. */
export const wholeNumber = (cell: string): number | undefined => (/^\d{1,15}$/.test(cell) ? Number(cell) : undefined);
