/**
 * `geotrace salt backup | restore`: writes a node's keys to an encrypted file and back. node/README.md "Backup". Neither
 * command overwrites a file. Throws COMMAND_INVALID, FILE_EXPOSED, BACKUP_UNREADABLE.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { keyToPeerId, parseManifest, secretToSigner } from '@geotrace/core-wasm/wire'
import { systemRandom } from '../../platform/random.ts'
import { hasIdentity, loadIdentity, writeIdentity } from '../identity/identity.ts'
import { dirOption, invalid } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { type PassphraseOptions, readPassphrase } from '../terminal/passphrase.ts'
import { markRestored } from './restored.ts'
import { openBackup, sealBackup } from './sealed-backup.ts'

const MANIFEST = 'federation.json'
/** A backup holds two keys and a manifest, and the largest manifest has a megabyte. */
const BACKUP_MAX_BYTES = 4 << 20

export async function backup(file: string, options: PassphraseOptions & { dir: string }, out: Output): Promise<void> {
  const { dir } = options
  if (existsSync(file)) invalid(`${file} exists and stays as it is; choose another name`)
  const identity = loadIdentity(dir)
  const manifest = join(dir, MANIFEST)
  const federation = existsSync(manifest) ? readFileSync(manifest, 'utf8') : undefined
  const passphrase = await readPassphrase(options, true, out)
  out.progress('encrypting …')
  const content = { ...identity, federation, madeMs: systemClock().now() }
  writeNew(file, await sealBackup(content, passphrase, systemRandom))
  out.line(
    `${file}: peer.key, ${identity.operatorSecret ? 'operator.key, ' : ''}${federation ? MANIFEST : 'no federation.json yet'}`,
  )
  out.note('Keep it on another machine, and the passphrase apart from it: without either the node is lost.')
  out.note(
    'Seeds are not in it and must not be: a node that comes back gets the current ones from its shards’ replicas.',
  )
}

export async function restore(file: string, options: PassphraseOptions & { dir: string }, out: Output): Promise<void> {
  const { dir } = options
  if (hasIdentity(dir)) invalid(`${dir} has keys already, and they stay as they are; name another directory with --dir`)
  const bytes = readBackup(file)
  const passphrase = await readPassphrase(options, false, out)
  out.progress('decrypting …')
  const content = await openBackup(bytes, passphrase)
  if (content.federation !== undefined) parseManifest(content.federation)
  // The mark comes first, so that a crash between the two leaves a node that abstains. Otherwise it could vote twice.
  writeIdentity(dir, content, () => {
    markRestored(dir, systemClock().now())
    const manifest = join(dir, MANIFEST)
    if (content.federation !== undefined && !existsSync(manifest)) writeNew(manifest, Buffer.from(content.federation))
  })
  out.line(
    `${dir}: ${keyToPeerId(secretToSigner(content.secret).key)}, as of ${new Date(content.madeMs).toISOString()}`,
  )
  out.note('Only one machine may run this node: two are two answers to one question, and proof against you.')
  out.note('It gives no vote for two periods, since it may have voted after the backup was made.')
  out.note(`Next: geotrace salt run${dirOption(dir, 'salt')}`)
}

function readBackup(file: string): Uint8Array {
  const size = statSync(file, { throwIfNoEntry: false })?.size
  if (size === undefined) invalid(`there is no ${file}`)
  if (size > BACKUP_MAX_BYTES) invalid(`${file} is too large for a backup`)
  return readFileSync(file)
}

/** Writes a new file and flushes it to the disk. Throws when the file exists. */
function writeNew(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    writeFileSync(file, bytes)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
