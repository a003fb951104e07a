/**
 * The keys of a node on disk: `peer.key` (its peer id) and `operator.key` (its operator's vote), 32 bytes each,
 * mode 0600, made once and never overwritten.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bytesToHex, FederationError, KEY_BYTES, keyToPeerId, secretToSigner } from '@geotrace/core-wasm/wire'
import { type MemberCard, parseCard } from '../membership/new-manifest.ts'
import type { Random } from '../random.ts'

export interface Identity {
  secret: Uint8Array
  operatorSecret: Uint8Array | undefined
}

const PEER = 'peer.key'
const OPERATOR = 'operator.key'
const CARD = 'card.json'

export function hasIdentity(dir: string): boolean {
  return existsSync(join(dir, PEER))
}

/** Makes the keys that are missing in `dir`. */
export function createIdentity(dir: string, random: Random): Identity {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  for (const name of [PEER, OPERATOR]) {
    if (!existsSync(join(dir, name))) writeSecret(dir, name, random(KEY_BYTES))
  }
  return loadIdentity(dir)
}

export function writeIdentity(dir: string, { secret, operatorSecret }: Identity): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  writeSecret(dir, PEER, secret)
  if (operatorSecret !== undefined) writeSecret(dir, OPERATOR, operatorSecret)
}

/** Throws COMMAND_INVALID when there is none. */
export function loadIdentity(dir: string): Identity {
  if (!hasIdentity(dir))
    invalid(`there is no ${PEER} in ${dir}; run \`geotrace salt init\` or \`geotrace central init\` first`)
  const operator = join(dir, OPERATOR)
  return {
    secret: readSecret(join(dir, PEER)),
    operatorSecret: existsSync(operator) ? readSecret(operator) : undefined,
  }
}

export function identityToCard(identity: Identity, operator: string, addresses: string[]): MemberCard {
  if (identity.operatorSecret === undefined)
    invalid(`${OPERATOR} is missing: the operator's vote is on another machine`)
  return {
    operator,
    operatorKey: bytesToHex(secretToSigner(identity.operatorSecret).key),
    peerId: keyToPeerId(secretToSigner(identity.secret).key),
    addresses,
  }
}

/** What this node told its founder or sponsors of itself, kept so that it says the same later. */
export function writeCard(dir: string, card: MemberCard): void {
  writeFileSync(join(dir, CARD), `${JSON.stringify(card, null, 2)}\n`, { mode: 0o600 })
}

export function hasCard(dir: string): boolean {
  return existsSync(join(dir, CARD))
}

/** Throws COMMAND_INVALID when `init` did not run. */
export function readCard(dir: string): MemberCard {
  const path = join(dir, CARD)
  if (!existsSync(path)) invalid(`there is no ${CARD} in ${dir}; run \`geotrace salt init\` first`)
  return parseCard(readFileSync(path, 'utf8'), path)
}

/** The operator's next key, beside the one in use; the file's path. */
export function writeNextOperatorKey(dir: string, secret: Uint8Array): string {
  const name = `${OPERATOR}.next`
  if (existsSync(join(dir, name))) invalid(`${name} exists already: a rotation is under way`)
  writeSecret(dir, name, secret)
  return join(dir, name)
}

function writeSecret(dir: string, name: string, secret: Uint8Array): void {
  writeFileSync(join(dir, name), secret, { mode: 0o600, flag: 'wx' })
}

function readSecret(path: string): Uint8Array {
  const bytes = new Uint8Array(readFileSync(path))
  if (bytes.length !== KEY_BYTES) invalid(`${path} is not a key of 32 bytes`)
  return bytes
}

function invalid(reason: string): never {
  throw new FederationError('COMMAND_INVALID', reason, { reason })
}
