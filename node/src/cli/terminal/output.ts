/**
 * The terminal: results on stdout, progress and advice on stderr, one rewritten line where a person is watching.
 * The only file of the commands that writes.
 */
export interface Output {
  /** Whether a person is watching what is not the result. */
  readonly isWatched: boolean
  /** A line of the result. */
  line(text?: string): void
  /** The whole result as one JSON object. */
  json(value: unknown): void
  /** A line for the person, not for a pipe. */
  note(text: string): void
  /** A question for the person; the answer follows on the same line. */
  prompt(text: string): void
  /** Replaces the last progress; nothing when nobody watches. */
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

/** A table with columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  )
}
