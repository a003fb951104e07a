/**
 * The keys of a node on disk: `peer.key` (its peer id) and `operator.key` (its operator's vote), 32 bytes each, mode 0600.
 * They are written once and never overwritten. A node refuses keys that other users can read.
 * Throws COMMAND_INVALID, FILE_EXPOSED.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '@geotrace/core-wasm'
import { bytesToHex, FederationError, KEY_BYTES, keyToPeerId, secretToSigner } from '@geotrace/core-wasm/wire'
import type { MemberCard } from '../../membership/new-manifest.ts'
import { assertPrivate } from './file-rights.ts'

export interface Identity {
  secret: Uint8Array
  operatorSecret: Uint8Array | undefined
}

export const PEER_KEY = 'peer.key'
export const OPERATOR_KEY = 'operator.key'

export function hasIdentity(dir: string): boolean {
  return existsSync(join(dir, PEER_KEY))
}

/** Creates the keys that are missing in `dir`. Throws FILE_EXPOSED. */
export function createIdentity(dir: string, random: Random): Identity {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  assertPrivate(dir)
  for (const name of [PEER_KEY, OPERATOR_KEY]) {
    if (!existsSync(join(dir, name))) writeSecret(dir, name, random(KEY_BYTES))
  }
  return loadIdentity(dir)
}

/** Writes the given keys. `before` writes the files that must exist before the keys do. */
export function writeIdentity(dir: string, { secret, operatorSecret }: Identity, before: () => void = () => {}): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  assertPrivate(dir)
  before()
  // The peer key comes last, because a directory with a peer key counts as complete.
  if (operatorSecret !== undefined) writeSecret(dir, OPERATOR_KEY, operatorSecret)
  writeSecret(dir, PEER_KEY, secret)
}

/** Throws COMMAND_INVALID when there is no peer key, FILE_EXPOSED when others can read a key. */
export function loadIdentity(dir: string): Identity {
  if (!hasIdentity(dir))
    invalidCommand(`no ${PEER_KEY} in ${dir}; run \`geotrace salt init\` or \`geotrace central init\` first`)
  assertPrivate(dir)
  const operator = join(dir, OPERATOR_KEY)
  return {
    secret: readSecret(join(dir, PEER_KEY)),
    operatorSecret: existsSync(operator) ? readSecret(operator) : undefined,
  }
}

export function identityToCard(identity: Identity, operator: string, addresses: string[]): MemberCard {
  if (identity.operatorSecret === undefined)
    invalidCommand(`no ${OPERATOR_KEY} in the directory; run this command on the machine that has the operator's key`)
  return {
    operator,
    operatorKey: bytesToHex(secretToSigner(identity.operatorSecret).key),
    peerId: keyToPeerId(secretToSigner(identity.secret).key),
    addresses,
  }
}

/** Writes the operator's next key beside the current one and returns the path of the file. */
export function writeNextOperatorKey(dir: string, secret: Uint8Array): string {
  const name = `${OPERATOR_KEY}.next`
  if (existsSync(join(dir, name))) {
    invalidCommand(
      `${name} already exists, so a key rotation has begun; \`geotrace federation log\` shows whether a roster has it`,
    )
  }
  writeSecret(dir, name, secret)
  return join(dir, name)
}

function writeSecret(dir: string, name: string, secret: Uint8Array): void {
  writeFileSync(join(dir, name), secret, { mode: 0o600, flag: 'wx' })
}

function readSecret(path: string): Uint8Array {
  assertPrivate(path)
  const bytes = new Uint8Array(readFileSync(path))
  if (bytes.length !== KEY_BYTES) {
    invalidCommand(
      `expected a key of ${KEY_BYTES} bytes in ${path}, got ${bytes.length} bytes; restore the file from your backup`,
    )
  }
  return bytes
}

function invalidCommand(reason: string): never {
  throw new FederationError('COMMAND_INVALID', reason, { reason })
}
