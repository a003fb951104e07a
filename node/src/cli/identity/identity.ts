/**
 * The keys of a node on disk: `peer.key` (its peer id) and `operator.key` (its operator's vote), 32 bytes each, mode 0600.
 * They are written once and never overwritten. A node refuses keys that other users can read.
 * Throws COMMAND_INVALID, FILE_EXPOSED.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '@geotrace/core-wasm'
import { bytesToHex, equalBytes, KEY_BYTES, keyToPeerId, secretToSigner } from '@geotrace/core-wasm/wire'
import type { MemberCard } from '../../membership/new-manifest.ts'
import { createFiles, makeDirs, type NewFile, removeDirs } from '../../platform/atomic-file.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { readSmallFile } from '../terminal/small-file.ts'
import { assertPrivate, loosePermissionOf } from './file-rights.ts'

export interface Identity {
  secret: Uint8Array
  operatorSecret: Uint8Array | undefined
}

export const PEER_KEY = 'peer.key'
export const OPERATOR_KEY = 'operator.key'
/** Files that only a node with keys makes. With new keys beside them the node would be a stranger to its federation. */
const TRACES = ['card.json', 'records']
const RESTORE = 'restore your backup: geotrace salt restore FILE'

export function hasIdentity(dir: string): boolean {
  return existsSync(join(dir, PEER_KEY))
}

/** Creates the keys of a new node. Returns the existing keys of another. Throws COMMAND_INVALID when one of them is lost. */
export async function createIdentity(dir: string, random: Random): Promise<Identity> {
  assertNoneLost(dir)
  const missing = [OPERATOR_KEY, PEER_KEY].filter((name) => !existsSync(join(dir, name)))
  await writeKeys(
    dir,
    missing.map((name) => ({ path: join(dir, name), content: random(KEY_BYTES) })),
  )
  return loadIdentity(dir)
}

/** Writes the keys into `dir`, and leaves no folder behind that it made when it fails. */
async function writeKeys(dir: string, files: readonly NewFile[]): Promise<void> {
  const made = await makeDirs(dir)
  try {
    assertOwnDirectory(dir)
    await createFiles(files)
  } catch (error) {
    await removeDirs(made)
    throw error
  }
}

/** Keys are not put into a directory that other users share, such as a home or /tmp. */
function assertOwnDirectory(dir: string): void {
  if (hasIdentity(dir)) assertPrivate(dir)
  else if (loosePermissionOf(dir) !== undefined)
    invalidCommand(`other users of this machine can access ${dir}`, 'name a directory of the node alone with --dir')
}

/** A new key beside the files of an old one makes a node that no other peer knows. */
function assertNoneLost(dir: string): void {
  const lost = [PEER_KEY, OPERATOR_KEY].find((name) => !existsSync(join(dir, name)))
  const trace = traceIn(dir)
  if (lost === undefined || trace === undefined) return
  invalidCommand(`${lost} is missing in ${dir}, where ${trace} shows that a node had it`, lostKeyAdvice(dir, lost))
}

/** The next step when `dir` has no peer key: a backup when a node had one there, otherwise new keys. */
export function noKeyAdvice(dir: string): string {
  return traceIn(dir)
    ? lostKeyAdvice(dir, PEER_KEY)
    : 'run `geotrace salt init` (or `geotrace central init`) first, or name the directory of your node with --dir'
}

function lostKeyAdvice(dir: string, lost: string): string {
  const elsewhere = lost === OPERATOR_KEY ? 'Or run the command on the machine that has this key.' : ''
  return [`${RESTORE} --dir ${dir}`, elsewhere || 'For a new node use another directory.'].join('\n')
}

/** The name of a file that only a node with keys makes; undefined when there is none. */
function traceIn(dir: string): string | undefined {
  return TRACES.find((name) => existsSync(join(dir, name)))
}

/**
 * Writes the keys of a backup, together with `more` files that must not appear without them. Keys that are there already
 * stay when they are the same. Throws COMMAND_INVALID for other keys.
 */
export async function writeIdentity(
  dir: string,
  { secret, operatorSecret }: Identity,
  more: readonly NewFile[] = [],
): Promise<void> {
  const keys = [
    // The peer key comes last, because a directory with a peer key counts as complete.
    ...(operatorSecret === undefined ? [] : [{ path: join(dir, OPERATOR_KEY), content: operatorSecret }]),
    { path: join(dir, PEER_KEY), content: secret },
  ]
  for (const { path, content } of keys) {
    if (existsSync(path) && !equalBytes(readSecret(path), content))
      invalidCommand(`${path} is another key and is not overwritten`, 'name another directory with --dir')
  }
  await writeKeys(dir, [...more, ...keys.filter(({ path }) => !existsSync(path))])
}

/** Throws COMMAND_INVALID when there is no peer key, FILE_EXPOSED when others can read a key. */
export function loadIdentity(dir: string): Identity {
  if (!hasIdentity(dir)) invalidCommand(`no ${PEER_KEY} in ${dir}`, noKeyAdvice(dir))
  assertPrivate(dir)
  const operator = join(dir, OPERATOR_KEY)
  return {
    secret: readSecret(join(dir, PEER_KEY)),
    operatorSecret: existsSync(operator) ? readSecret(operator) : undefined,
  }
}

/** `commitment` is that of the founding nonce, hex. */
export function identityToCard(
  identity: Identity,
  operator: string,
  addresses: string[],
  commitment: string,
): MemberCard {
  return {
    operator,
    operatorKey: bytesToHex(secretToSigner(operatorOf(identity)).key),
    peerId: keyToPeerId(secretToSigner(identity.secret).key),
    addresses,
    commitment,
  }
}

/** The operator's secret. Throws COMMAND_INVALID when another machine has it. */
export function operatorOf({ operatorSecret }: Identity): Uint8Array {
  return (
    operatorSecret ??
    invalidCommand(`no ${OPERATOR_KEY} in the directory`, 'run this command on the machine that has the operator’s key')
  )
}

/** Writes the operator's next key beside the current one and returns the path of the file. */
export async function writeNextOperatorKey(dir: string, secret: Uint8Array): Promise<string> {
  const path = join(dir, `${OPERATOR_KEY}.next`)
  if (existsSync(path)) {
    invalidCommand(
      `${path} exists already, so a key rotation has begun`,
      '`geotrace federation log` shows whether a roster has the new key',
    )
  }
  await createFiles([{ path, content: secret }])
  return path
}

/** Throws FILE_EXPOSED when others can read the file. */
export function readSecret(path: string): Uint8Array {
  assertPrivate(path)
  const bytes = new Uint8Array(readSmallFile(path, { what: 'key', maxBytes: KEY_BYTES, next: RESTORE }))
  if (bytes.length !== KEY_BYTES)
    invalidCommand(`expected a key of ${KEY_BYTES} bytes in ${path}, got ${bytes.length} bytes`, RESTORE)
  return bytes
}
