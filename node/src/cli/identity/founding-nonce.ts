/**
 * The nonce of a node's card, 32 bytes in `founding.nonce`, mode 0600. PROTOCOL.md §4.2. The card commits to it, and it
 * stays secret until the manifest is frozen. It opens for one federation only: otherwise a founder that knows it could
 * found again and choose the ranks. `founding.opened` lists commitment and federation of each opening.
 * Throws COMMAND_INVALID, FILE_EXPOSED.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '@geotrace/core-wasm'
import { bytesToHex, type FrozenManifest, manifestToId, nonceToCommitment } from '@geotrace/core-wasm/wire'
import type { MemberCard } from '../../membership/new-manifest.ts'
import { replaceFile } from '../../platform/atomic-file.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { readSecret } from './identity.ts'

export const NONCE = 'founding.nonce'
const OPENED = 'founding.opened'
const NONCE_BYTES = 32
const NEW_CARD =
  'run `geotrace salt init` or `geotrace central init` again, and send the founder the card that it prints'

type CardEntry = FrozenManifest['members'][number] & Partial<Pick<FrozenManifest['central'], 'seal'>>

/** The commitment for a card, hex. Makes a nonce when there is none, or when the present one was opened. */
export async function freshCommitment(dir: string, random: Random): Promise<string> {
  const known = readNonce(dir)
  if (known !== undefined && openedFor(dir, toCommitment(known)) === undefined) return toCommitment(known)
  const nonce = random(NONCE_BYTES)
  await replaceFile(join(dir, NONCE), nonce)
  return toCommitment(nonce)
}

/** Opens the nonce for this manifest, which must name the card unchanged. Gives the same nonce at each call. */
export async function openNonce(dir: string, manifest: FrozenManifest, card: MemberCard): Promise<Uint8Array> {
  const nonce = readNonce(dir) ?? invalidCommand(`no ${NONCE} in ${dir}`, NEW_CARD)
  const commitment = toCommitment(nonce)
  assertEntry(manifest, card, commitment)
  const federation = bytesToHex(manifestToId(manifest))
  const before = openedFor(dir, commitment)
  if (before !== undefined && before !== federation)
    invalidCommand(
      `the nonce of this card was opened for federation ${before.slice(0, 16)}, and it opens once`,
      NEW_CARD,
    )
  // The record comes before the nonce leaves this machine.
  if (before === undefined) await replaceFile(join(dir, OPENED), `${readOpened(dir)}${commitment} ${federation}\n`)
  return nonce
}

/** Refuses a manifest that names this node with a commitment of somebody else, who could then choose the ranks. */
export function assertOwnCommitment(dir: string, manifest: FrozenManifest, peerId: string): void {
  const [entry, nonce] = [findEntry(manifest, peerId), readNonce(dir)]
  // A node that joined later, or that was restored from a backup, has no nonce for this manifest.
  if (entry === undefined || nonce === undefined || entry.commitment === toCommitment(nonce)) return
  if (openedFor(dir, entry.commitment) !== bytesToHex(manifestToId(manifest))) refuseEntry('another commitment')
}

/** Checks everything that the founder copied from the card. */
function assertEntry(manifest: FrozenManifest, card: MemberCard, commitment: string): void {
  const entry = findEntry(manifest, card.peerId) ?? refuseEntry('another peer id')
  const key = manifest.operators.find(({ name }) => name === entry.operator)?.key
  if (entry.commitment !== commitment) refuseEntry('another commitment')
  if (entry.operator !== card.operator || key !== card.operatorKey) refuseEntry('another operator')
  if (entry.seal !== card.seal) refuseEntry('another seal key')
  if (entry.addresses.join() !== card.addresses.join()) refuseEntry('other addresses')
}

function refuseEntry(what: string): never {
  return invalidCommand(`federation.json names ${what} than the card of this node`, NEW_CARD)
}

function findEntry({ members, central }: FrozenManifest, peerId: string): CardEntry | undefined {
  const entries: CardEntry[] = [...members, central]
  return entries.find((item) => item.peerId === peerId)
}

function readNonce(dir: string): Uint8Array | undefined {
  const path = join(dir, NONCE)
  return existsSync(path) ? readSecret(path) : undefined
}

function readOpened(dir: string): string {
  const path = join(dir, OPENED)
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

/** The federation for which this commitment was opened, hex. */
function openedFor(dir: string, commitment: string): string | undefined {
  const line = readOpened(dir)
    .split('\n')
    .find((item) => item.startsWith(`${commitment} `))
  return line?.split(' ')[1]
}

function toCommitment(nonce: Uint8Array): string {
  return bytesToHex(nonceToCommitment(nonce))
}
