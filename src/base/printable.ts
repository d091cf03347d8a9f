/*
 * What terminals obey instead of showing: CSI and OSC sequences whole (also in their one-byte form), then every other
 * control character but the tabulator and the line feed, and the marks that turn the direction of writing round.
 */
const SEQUENCES =
  /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x90-\x9f]*(?:\x07|\x1b\\|\x9c)|\x1b[ -/]*[0-~]/g;
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** Text from outside as a terminal or log may show it: terminal escapes and control characters removed, lines kept. */
export const printable = (text: string): string => text.replace(SEQUENCES, "").replace(CONTROLS, "");

/** A name from outside (a model's, a file's) on one line: as {@link printable}, cut at `longest` characters. */
export function printableName(name: string, longest = 200): string {
  const line = printable(name.slice(0, 20 * longest))
    .replace(/\s+/g, " ")
    .trim();
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}
