/**
 * The terminal: results go to stdout, progress and advice to stderr. On a terminal, progress is one line that is
 * rewritten. With `--json` stdout gets one JSON object instead of lines, and stderr gets no advice.
 * Only this file writes to stdout and stderr.
 */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

export interface Output {
  /** Whether stderr is a terminal. */
  readonly isWatched: boolean
  /** Whether the result is one JSON object. */
  readonly isJson: boolean
  /** The exit code of a command that ended without an error. */
  readonly exitCode: 0 | 1
  /** Prints a line of the result; nothing with `--json`. */
  line(text?: string): void
  /** Prints the whole result as one JSON object; nothing without `--json`. */
  json(value: unknown): void
  /** Prints text on stdout, with `--json` too: the help and the version. */
  text(text: string): void
  /** Prints a line of advice on stderr, so that a pipe does not get it; nothing with `--json`. */
  note(text: string): void
  /** Prints a line on stderr, with `--json` too: an error trace or an entry of a log. */
  trace(text: string): void
  /** Prints a question without a line break; the answer follows on the same line. */
  prompt(text: string): void
  /** Replaces the progress line; prints nothing when stderr is not a terminal. */
  progress(text: string): void
  /** Makes the command end with exit code 1 although it throws no error: a check found a problem. */
  fails(): void
}

export function terminal(
  isJson = false,
  stdout: NodeJS.WriteStream = process.stdout,
  stderr: NodeJS.WriteStream = process.stderr,
): Output {
  const isWatched = stderr.isTTY === true
  let open = false
  let exitCode: 0 | 1 = 0
  const clear = () => {
    if (open) stderr.write('\r\u001b[K')
    open = false
  }
  const print = (stream: NodeJS.WriteStream, text: string) => {
    clear()
    stream.write(text)
  }
  return {
    isWatched,
    isJson,
    get exitCode() {
      return exitCode
    },
    line: (text = '') => void (isJson || print(stdout, `${text}\n`)),
    json: (value) => void (isJson && print(stdout, `${JSON.stringify(value)}\n`)),
    text: (text) => print(stdout, `${text}\n`),
    note: (text) => void (isJson || print(stderr, `${text}\n`)),
    trace: (text) => print(stderr, `${text}\n`),
    prompt: (text) => print(stderr, text),
    progress(text) {
      if (!isWatched || isJson) return
      const width = (stderr.columns ?? 80) - 1
      stderr.write(`\r\u001b[K${text.length > width ? `${text.slice(0, width - 1)}…` : text}`)
      open = true
    },
    fails() {
      exitCode = 1
    },
  }
}

/** Calls `end` when stdout cannot be written, for example on a full disk. */
export function onOutputError(end: (error: unknown) => void): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that has read enough, such as `head`, closes the pipe.
    if (error.code === 'EPIPE') process.exit()
    end(error)
  })
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
