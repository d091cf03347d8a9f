/** A cell as RFC 4180 writes it; what a spreadsheet would take for a formula gets an apostrophe in front. */
function cellOf(value: string | number | boolean | undefined | null): string {
  if (value === undefined || value === null) return "";
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows as CSV with a head, lines ended as RFC 4180 has it. */
export const csvOf = (
  head: readonly string[],
  rows: Iterable<readonly (string | number | boolean | undefined | null)[]>,
): string => [head, ...rows].map((row) => `${row.map(cellOf).join(",")}\r\n`).join("");
