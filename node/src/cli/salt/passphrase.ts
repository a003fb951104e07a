/**
 * Reads the passphrase of a backup from a file that only its owner can read, or without echo from the terminal.
 * Throws COMMAND_INVALID, FILE_EXPOSED.
 */
import { statSync } from 'node:fs'
import { assertPrivate } from '../identity/file-rights.ts'
import { askSilently, isTyped } from '../terminal/ask.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import type { Output } from '../terminal/output.ts'
import { readSmallFile } from '../terminal/small-file.ts'

/** Twelve characters are enough, because scrypt makes each guess cost about half a second and 128 MiB. */
const LENGTH_MIN = 12
/** A longer first line is another file. */
const FILE_MAX_BYTES = 65_536

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
    invalidCommand(`the passphrase has ${passphrase.length} characters`, `choose one with at least ${LENGTH_MIN}`)
  }
  return passphrase
}

function fromFile(path: string): string {
  // A pipe, such as that of a password manager, belongs to this process only.
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) assertPrivate(path)
  const next = 'name a readable file with --passphrase-file'
  const text = readSmallFile(path, { what: 'passphrase file', maxBytes: FILE_MAX_BYTES, next }).toString('utf8')
  return text.split(/\r?\n/, 1)[0]!
}

async function ask(isNew: boolean, out: Output): Promise<string> {
  if (!isTyped()) invalidCommand('no terminal to type a passphrase', 'name a file with --passphrase-file')
  const first = await askSilently('Passphrase: ', out)
  if (isNew && (await askSilently('Repeat the passphrase: ', out)) !== first)
    invalidCommand('the two passphrases differ', 'run the command again')
  return first
}
