/** Cells that pandas 2 and 3 read as missing (`read_csv`'s defaults). */
const MISSING = new Set([
  "",
  "#N/A",
  "#N/A N/A",
  "#NA",
  "-1.#IND",
  "-1.#QNAN",
  "-NaN",
  "-nan",
  "1.#IND",
  "1.#QNAN",
  "<NA>",
  "N/A",
  "NA",
  "NULL",
  "NaN",
  "None",
  "n/a",
  "nan",
  "null",
]);

/**
 * A cell of text as programs that read it with pandas write it: what that takes for missing is one word for all.
 * MMMLU has options such as `None` and `NA`.
 * @param written what the program writes for a missing cell
 */
export const readByPandas = (text: string, written: string): string => (MISSING.has(text) ? written : text);
