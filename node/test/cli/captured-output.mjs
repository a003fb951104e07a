/** An output that keeps its lines, as `terminal()` prints them. JavaScript, because the command fuzz runs in a bare process. */

/**
 * @param {boolean} isJson
 * @returns {{ out: import('../../src/cli/terminal/output.ts').Output, stdout: string[], stderr: string[] }}
 */
export function captured(isJson = false) {
  /** @type {[string[], string[]]} */
  const [stdout, stderr] = [[], []]
  /** @type {0 | 1} */
  let exitCode = 0
  const out = {
    isWatched: false,
    isJson,
    get exitCode() {
      return exitCode
    },
    line: (text = '') => void (isJson || stdout.push(text)),
    json: (value) => void (isJson && stdout.push(JSON.stringify(value))),
    text: (text) => void stdout.push(text),
    note: (text) => void (isJson || stderr.push(text)),
    trace: (text) => void stderr.push(text),
    prompt: (text) => void stderr.push(text),
    progress() {},
    fails() {
      exitCode = 1
    },
  }
  return { out, stdout, stderr }
}
