/**
 * The terminal: results go to stdout, progress and advice to stderr. On a terminal, progress is one line that is
 * rewritten. Only this file writes to stdout and stderr.
 */
export interface Output {
  /** Whether stderr is a terminal. */
  readonly isWatched: boolean
  /** Prints a line of the result. */
  line(text?: string): void
  /** Prints the whole result as one JSON object. */
  json(value: unknown): void
  /** Prints a line of advice on stderr, so that a pipe does not get it. */
  note(text: string): void
  /** Prints a question without a line break; the answer follows on the same line. */
  prompt(text: string): void
  /** Replaces the progress line; prints nothing when stderr is not a terminal. */
  progress(text: string): void
}

export function terminal(
  stdout: NodeJS.WriteStream = process.stdout,
  stderr: NodeJS.WriteStream = process.stderr,
): Output {
  let open = false
  const clear = () => {
    if (open) stderr.write('\r\u001b[K')
    open = false
  }
  return {
    isWatched: stderr.isTTY === true,
    line(text = '') {
      clear()
      stdout.write(`${text}\n`)
    },
    json(value) {
      clear()
      stdout.write(`${JSON.stringify(value)}\n`)
    },
    note(text) {
      clear()
      stderr.write(`${text}\n`)
    },
    prompt(text) {
      clear()
      stderr.write(text)
    },
    progress(text) {
      if (!stderr.isTTY) return
      const width = (stderr.columns ?? 80) - 1
      stderr.write(`\r\u001b[K${text.length > width ? `${text.slice(0, width - 1)}…` : text}`)
      open = true
    },
  }
}

/** Lines of a table whose columns are as wide as their widest cells. */
export function toTable(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  )
}
