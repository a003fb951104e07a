/**
 * `geotrace salt backup | restore`: writes a node's keys to an encrypted file and back. node/README.md "Backup". Neither
 * command overwrites a file. Throws COMMAND_INVALID, FILE_EXPOSED, BACKUP_UNREADABLE.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { keyToPeerId, MANIFEST_MAX_BYTES, parseManifest, secretToSigner } from '@geotrace/core-wasm/wire'
import { createFiles } from '../../platform/atomic-file.ts'
import { systemRandom } from '../../platform/random.ts'
import { hasIdentity, loadIdentity, OPERATOR_KEY, PEER_KEY, writeIdentity } from '../identity/identity.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { dirOption } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { readSmallFile } from '../terminal/small-file.ts'
import { minute } from '../terminal/times.ts'
import { type PassphraseOptions, readPassphrase } from './passphrase.ts'
import { restoredMark } from './restored.ts'
import { openBackup, sealBackup } from './sealed-backup.ts'

const MANIFEST = 'federation.json'
/** A backup holds two keys and a manifest, and the largest manifest has a megabyte. */
const BACKUP_MAX_BYTES = 4 << 20
const NO_VOTE = 'The peer gives no vote for two periods, because it may have voted after the backup was made.'

export async function backup(file: string, options: PassphraseOptions & { dir: string }, out: Output): Promise<void> {
  const { dir } = options
  if (existsSync(file)) invalidCommand(`${file} already exists and is not overwritten`, 'choose another name')
  if (!existsSync(dirname(file))) invalidCommand(`no folder for ${file}`, 'create it, or name another file')
  const identity = loadIdentity(dir)
  const federation = readFederation(dir)
  const passphrase = await readPassphrase(options, true, out)
  out.progress('encrypting …')
  const content = { ...identity, federation, madeMs: systemClock().now() }
  await createFiles([{ path: file, content: await sealBackup(content, passphrase, systemRandom) }])
  const parts = [PEER_KEY, ...(identity.operatorSecret ? [OPERATOR_KEY] : []), ...(federation ? [MANIFEST] : [])]
  out.json({ file, parts })
  out.line(`Wrote ${file} with ${parts.join(', ')}.`)
  if (federation === undefined) out.note(`${dir} has no ${MANIFEST} yet, so the backup has none either.`)
  out.note('Keep the file on another machine, and the passphrase in another place. A restore needs both.')
  out.note('The backup holds no seeds. A restored node gets the current seeds from the other replicas of its shards.')
}

export async function restore(file: string, options: PassphraseOptions & { dir: string }, out: Output): Promise<void> {
  const { dir } = options
  if (hasIdentity(dir))
    invalidCommand(`${dir} already has keys, which are not overwritten`, 'name another directory with --dir')
  const next = 'name the file that `geotrace salt backup` wrote'
  const bytes = readSmallFile(file, { what: 'backup', maxBytes: BACKUP_MAX_BYTES, next })
  const passphrase = await readPassphrase(options, false, out)
  out.progress('decrypting …')
  const content = await openBackup(bytes, passphrase)
  const federation = content.federation === undefined ? undefined : parseManifest(content.federation)
  const manifest = join(dir, MANIFEST)
  // The mark comes first, so that a crash between the two leaves a node that abstains. Otherwise it could vote twice.
  await writeIdentity(dir, content, [
    restoredMark(dir, systemClock().now()),
    ...(content.federation === undefined || existsSync(manifest)
      ? []
      : [{ path: manifest, content: content.federation }]),
  ])
  const peerId = keyToPeerId(secretToSigner(content.secret).key)
  const madeAt = new Date(content.madeMs).toISOString()
  out.json({ dir, peerId, madeAt })
  out.line(`Restored node ${peerId} to ${dir}, from the backup of ${minute(content.madeMs)}.`)
  out.note('Run this node on one machine only. Two copies can sign different answers, which other peers treat as')
  out.note('proof of a lie.')
  if (peerId === federation?.central.peerId) {
    out.note('These are the keys of the central peer. The backup holds no deposits, reports and marks.')
    out.note(NO_VOTE)
    out.note(`Next: bring its store back with geotrace central restore BACKUP${dirOption(dir, 'central')}`)
    return
  }
  out.note(NO_VOTE)
  out.note(`Next: geotrace salt run${dirOption(dir, 'salt')}`)
}

/** Text of federation.json; undefined when the founder has not sent it yet. */
function readFederation(dir: string): string | undefined {
  const path = join(dir, MANIFEST)
  if (!existsSync(path)) return undefined
  const next = 'ask your founder for federation.json again'
  return readSmallFile(path, { what: 'federation file', maxBytes: MANIFEST_MAX_BYTES, next }).toString('utf8')
}
