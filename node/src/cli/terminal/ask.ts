/**
 * Reads a secret without echo from the terminal, or a line that a program pipes in. Arguments and environment variables
 * hold no secret, because other users of the machine can read them. Throws COMMAND_INVALID.
 */
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { invalidCommand } from './invalid-command.ts'
import type { Output } from './output.ts'

export function isTyped(): boolean {
  return process.stdin.isTTY === true
}

/** Asks on the terminal. */
export function askSilently(prompt: string, out: Output): Promise<string> {
  out.prompt(prompt)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  return new Promise((resolve, reject) => {
    lines.once('SIGINT', () => {
      lines.close()
      try {
        invalidCommand('cancelled, and nothing was changed', 'run the command again when you like')
      } catch (error) {
        reject(error)
      }
    })
    lines.question('', (line) => {
      lines.close()
      out.trace('')
      resolve(line)
    })
  })
}

/** The first line of stdin; empty at its end. */
export async function readPipedLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin })
  for await (const line of lines) {
    lines.close()
    return line
  }
  return ''
}
