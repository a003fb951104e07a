/**
 * Reads a passphrase from a file or, without echo, from the terminal. Arguments and environment variables are not
 * accepted, because other users of the machine can read them. Throws COMMAND_INVALID.
 */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { invalidCommand } from './options.ts'
import type { Output } from './output.ts'

/** Twelve characters are enough, because scrypt makes each guess cost about half a second and 128 MiB. */
const LENGTH_MIN = 12

export interface PassphraseOptions {
  passphraseFile?: string
}

/** Asks twice for a new passphrase. */
export async function readPassphrase(
  { passphraseFile }: PassphraseOptions,
  isNew: boolean,
  out: Output,
): Promise<string> {
  const passphrase = passphraseFile === undefined ? await ask(isNew, out) : fromFile(passphraseFile)
  if (isNew && passphrase.length < LENGTH_MIN) {
    invalidCommand(`the passphrase has ${passphrase.length} characters; choose one with at least ${LENGTH_MIN}`)
  }
  return passphrase
}

function fromFile(path: string): string {
  try {
    return readFileSync(path, 'utf8').split(/\r?\n/, 1)[0]!
  } catch {
    return invalidCommand(`cannot read the passphrase file ${path}; name a readable file with --passphrase-file`)
  }
}

async function ask(isNew: boolean, out: Output): Promise<string> {
  if (!process.stdin.isTTY) invalidCommand('no terminal to type a passphrase; name a file with --passphrase-file')
  const first = await readSilently('Passphrase: ', out)
  if (isNew && (await readSilently('Repeat the passphrase: ', out)) !== first)
    invalidCommand('the two passphrases differ; run the command again')
  return first
}

function readSilently(prompt: string, out: Output): Promise<string> {
  out.prompt(prompt)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  return new Promise((resolve, reject) => {
    lines.once('SIGINT', () => {
      lines.close()
      try {
        invalidCommand('cancelled; nothing was written')
      } catch (error) {
        reject(error)
      }
    })
    lines.question('', (line) => {
      lines.close()
      out.note('')
      resolve(line)
    })
  })
}
