/** Lines of comma-separated values, as spreadsheets read them. RFC 4180. */
export function csvLines(rows: readonly (readonly string[])[]): string[] {
  const quote = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  return rows.map((row) => row.map(quote).join(','))
}
