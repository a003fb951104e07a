/** Runs command lines in this process and returns what a terminal would show. */
import type { Command } from 'commander'
import { fill, geotrace, main } from '../../src/cli/main.ts'
import type { Output } from '../../src/cli/terminal/output.ts'

export interface Captured {
  code: number
  stdout: string[]
  stderr: string[]
}

/** An output that keeps its lines, as `terminal()` prints them. */
export function captured(isJson = false): { out: Output; stdout: string[]; stderr: string[] } {
  const [stdout, stderr]: [string[], string[]] = [[], []]
  let exitCode: 0 | 1 = 0
  const out: Output = {
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

/** Runs `geotrace` with these arguments. */
export async function run(...argv: string[]): Promise<Captured> {
  const { out, stdout, stderr } = captured(argv.includes('--json'))
  const code = await main(argv, out)
  return { code, stdout, stderr }
}

/** The program with every command, its options and its actions. */
export async function wholeProgram(): Promise<Command> {
  const { out } = captured()
  const program = geotrace(out)
  for (const command of program.commands) await fill(command, out)
  return program
}
