/**
 * Reads a secret without echo from the terminal, or a line that a program pipes in. Arguments and environment variables
 * hold no secret, because other users of the machine can read them. Throws COMMAND_INVALID.
 */
import { createInterface, type Interface } from 'node:readline'
import { Writable } from 'node:stream'
import { invalidCommand } from './invalid-command.ts'
import type { Output } from './output.ts'

export function isTyped(): boolean {
  return process.stdin.isTTY === true
}

/** Asks on the terminal; the answer is shown while it is typed. */
export function ask(prompt: string, out: Output): Promise<string> {
  out.prompt(prompt)
  return question(createInterface({ input: process.stdin }))
}

/** Asks on the terminal without showing the answer. */
export async function askSilently(prompt: string, out: Output): Promise<string> {
  out.prompt(prompt)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const answer = await question(createInterface({ input: process.stdin, output: nowhere, terminal: true }))
  out.trace('')
  return answer
}

function question(lines: Interface): Promise<string> {
  return new Promise((resolve, reject) => {
    lines.once('SIGINT', () => {
      lines.close()
      try {
        invalidCommand('cancelled, and nothing was changed', 'run the command again when you like')
      } catch (error) {
        reject(error)
      }
    })
    lines.once('line', (line) => {
      resolve(line)
      lines.close()
    })
    // The end of the input without an answer.
    lines.once('close', () => resolve(''))
  })
}

/** The first line of stdin; empty at its end. */
export async function readPipedLine(): Promise<string> {
  // A stream that has ended gives no event any more.
  if (process.stdin.readableEnded) return ''
  const lines = createInterface({ input: process.stdin })
  for await (const line of lines) {
    lines.close()
    return line
  }
  return ''
}
