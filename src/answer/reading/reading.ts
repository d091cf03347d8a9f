/** How a raw reply becomes letters. A reading is one file with one of these, named in `index.ts`. */
export interface Reading {
  readonly description: string;
  /**
   * The letter of each question that the reply answers, in order; null where there is none. Takes the raw reply.
   * @param labels the options' letters, 2 to 10 from A on
   */
  read(reply: string, questions: number, labels: readonly string[]): (string | null)[];
  /** Whether {@link read} for one question can no longer change, whatever follows this beginning of a reply. */
  settled(partial: string, labels: readonly string[]): boolean;
  /** Whether one reply may answer several questions. */
  readonly several: boolean;
}

/** The text if it is one of the letters. */
export const letterAmong = (labels: readonly string[], text: string | undefined): string | null =>
  text !== undefined && labels.includes(text) ? text : null;
