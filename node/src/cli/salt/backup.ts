/**
 * `geotrace salt backup | restore`: writes a node's keys to an encrypted file and back. node/README.md "Backup". Neither
 * command overwrites a file. Throws COMMAND_INVALID, FILE_EXPOSED, BACKUP_UNREADABLE.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { keyToPeerId, parseManifest, secretToSigner } from '@geotrace/core-wasm/wire'
import { systemRandom } from '../../platform/random.ts'
import { hasIdentity, loadIdentity, OPERATOR_KEY, PEER_KEY, writeIdentity } from '../identity/identity.ts'
import { dirOption, invalidCommand } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { type PassphraseOptions, readPassphrase } from '../terminal/passphrase.ts'
import { markRestored } from './restored.ts'
import { openBackup, sealBackup } from './sealed-backup.ts'

const MANIFEST = 'federation.json'
/** A backup holds two keys and a manifest, and the largest manifest has a megabyte. */
const BACKUP_MAX_BYTES = 4 << 20

export async function backup(file: string, options: PassphraseOptions & { dir: string }, out: Output): Promise<void> {
  const { dir } = options
  if (existsSync(file)) invalidCommand(`${file} already exists and is not overwritten; choose another name`)
  const identity = loadIdentity(dir)
  const manifest = join(dir, MANIFEST)
  const federation = existsSync(manifest) ? readFileSync(manifest, 'utf8') : undefined
  const passphrase = await readPassphrase(options, true, out)
  out.progress('encrypting …')
  const content = { ...identity, federation, madeMs: systemClock().now() }
  writeNew(file, await sealBackup(content, passphrase, systemRandom))
  const parts = [PEER_KEY, ...(identity.operatorSecret ? [OPERATOR_KEY] : []), ...(federation ? [MANIFEST] : [])]
  out.line(`Wrote ${file} with ${parts.join(', ')}.`)
  if (federation === undefined) out.note(`${dir} has no ${MANIFEST} yet, so the backup has none either.`)
  out.note('Keep the file on another machine, and the passphrase in another place. A restore needs both.')
  out.note('The backup holds no seeds. A restored node gets the current seeds from the other replicas of its shards.')
}

export async function restore(file: string, options: PassphraseOptions & { dir: string }, out: Output): Promise<void> {
  const { dir } = options
  if (hasIdentity(dir))
    invalidCommand(`${dir} already has keys, which are not overwritten; name another directory with --dir`)
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
  const peerId = keyToPeerId(secretToSigner(content.secret).key)
  out.line(`Restored node ${peerId} to ${dir}, from the backup of ${new Date(content.madeMs).toISOString()}.`)
  out.note('Run this node on one machine only. Two copies can sign different answers, which other peers treat as')
  out.note('proof of a lie.')
  out.note('The node gives no vote for two periods, because it may have voted after the backup was made.')
  out.note(`Next: geotrace salt run${dirOption(dir, 'salt')}`)
}

function readBackup(file: string): Uint8Array {
  const size = statSync(file, { throwIfNoEntry: false })?.size
  if (size === undefined) invalidCommand(`no backup at ${file}; name the file that \`geotrace salt backup\` wrote`)
  if (size > BACKUP_MAX_BYTES)
    invalidCommand(`expected a backup of at most ${BACKUP_MAX_BYTES} bytes, got ${size} bytes in ${file}`)
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
