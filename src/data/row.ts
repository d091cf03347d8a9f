/** The four answer letters, in order. */
export const LETTERS = ["A", "B", "C", "D"] as const;
export type Letter = (typeof LETTERS)[number];

/** MMMLU's languages, in the order of the hub's configs. */
export const LANGUAGES = [
  "AR_XY",
  "BN_BD",
  "DE_DE",
  "ES_LA",
  "FR_FR",
  "HI_IN",
  "ID_ID",
  "IT_IT",
  "JA_JP",
  "KO_KR",
  "PT_BR",
  "SW_KE",
  "YO_NG",
  "ZH_CN",
] as const;
export type Language = (typeof LANGUAGES)[number];

/** One question of MMMLU in one language. Cells are text exactly as the file has them. */
export interface Row {
  /** `DE_DE/abstract_algebra/0`: language, clean subject, index within the subject. */
  readonly id: string;
  readonly language: string;
  /** The clean subject: file-name debris is cut off. */
  readonly subject: string;
  /** `Unnamed: 0`: the index within the subject; with the subject it names a question across languages. */
  readonly index: number;
  readonly question: string;
  /** The choices A to D. */
  readonly choices: readonly [string, string, string, string];
  readonly answer: Letter;
}

/** What all translations of a question share: `abstract_algebra/0`. */
export function questionOf(row: Pick<Row, "subject" | "index">): string {
  return `${row.subject}/${row.index}`;
}
