/** The letters of options, in order: ten are the most that a question may have. */
export const OPTION_LETTERS = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"] as const;
export type Letter = (typeof OPTION_LETTERS)[number];

/** One question of a task in one language. Texts are exactly as the file has them. */
export interface Row {
  /** Language, subject and index, such as `DE_DE/abstract_algebra/0`: {@link rowId}. */
  readonly id: string;
  /** As the task codes it. */
  readonly language: string;
  /** The clean subject: file-name debris is cut off. */
  readonly subject: string;
  /** Which of its subject's questions it is. */
  readonly index: number;
  readonly question: string;
  /** Two to ten choices, A first. */
  readonly choices: readonly string[];
  /** The letter of one of the choices. */
  readonly answer: Letter;
  /** What all rows of the same question share, where that is not `subject/index`: {@link questionOf}. */
  readonly key?: string;
  /** The group that the row's subject belongs to, where the data say so. */
  readonly category?: string;
}

/** What all translations of a question share, in every set that holds them: `abstract_algebra/0` for those of MMLU. */
export const questionOf = ({ key, subject, index }: Pick<Row, "key" | "subject" | "index">): string =>
  key ?? `${subject}/${index}`;

/** The letters of a question with so many options. */
export const lettersOf = (options: number): readonly Letter[] => OPTION_LETTERS.slice(0, options);

/** The letters of the row with the most options. */
export const lettersOfRows = (rows: readonly Pick<Row, "choices">[]): readonly Letter[] =>
  lettersOf(rows.reduce((most, { choices }) => Math.max(most, choices.length), 0));

/**
 * A row's id: stable, and unique over all sets. MMMLU's ids have no set's name; those of others begin with theirs, as
 * in `include:German/Driving License/3`.
 */
export const rowId = (set: string, language: string, subject: string, index: number): string =>
  `${set === "" ? "" : `${set}:`}${written(language)}/${written(subject)}/${index}`;

/** The parts of a {@link rowId}. */
export function partsOfId(id: string): { language: string; subject: string; index: number } {
  const [place = "", subject = "", index = ""] = id.split("/");
  return { language: read(place.slice(place.indexOf(":") + 1)), subject: read(subject), index: Number(index) };
}

const SIGNS: Readonly<Record<string, string>> = { "%": "%25", "/": "%2F", ":": "%3A", "\n": "%0A", "\r": "%0D" };
const written = (part: string): string => part.replace(/[%/:\n\r]/g, (sign) => SIGNS[sign]!);
const read = (part: string): string =>
  part.replace(/%(25|2F|3A|0A|0D)/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
