/** Runs command lines in this process and returns what a terminal would show. */
import type { Command } from 'commander'
import { fill, geotrace, main } from '../../src/cli/main.ts'
import { captured } from './captured-output.mjs'

export interface Captured {
  code: number
  stdout: string[]
  stderr: string[]
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
