/**
 * One line of CSV as RFC 4180 has it, with its line break. Texts that a spreadsheet would take for a formula get an
 * apostrophe before them: names are foreign data (https://owasp.org/www-community/attacks/CSV_Injection). Numbers stay
 * numbers.
 */
export function csvLine(cells: readonly (string | number | boolean | null)[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

function csvCell(cell: string | number | boolean | null): string {
  if (cell === null) return "";
  if (typeof cell !== "string") return String(cell);
  const text = /^[=+\-@\uFF1D\uFF0B\uFF0D\uFF20\t\r\n]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
