/**
 * The openings that the members of a founding send to their founder, one JSON object a line. PROTOCOL.md §4.2. Anybody can
 * check an opening against the manifest, so it carries no signature. Throws COMMAND_INVALID.
 */
import { bytesToHex, type FrozenManifest, hexToBytes, manifestToId, nonceToCommitment } from '@geotrace/core-wasm/wire'
import * as z from 'zod/mini'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { readSmallFile } from '../terminal/small-file.ts'

const hex32 = z.string().check(z.regex(/^[0-9a-f]{64}$/))
const openingSchema = z.strictObject({ federation: hex32, peerId: z.string().check(z.maxLength(64)), nonce: hex32 })
export type Opening = z.infer<typeof openingSchema>

/** One file may hold the openings of all 1,001 cards, some 250 bytes each. */
const OPENINGS_MAX_BYTES = 1 << 20
const PRINTED = 'name a file that `geotrace federation open` printed'

export function readOpenings(path: string): Opening[] {
  const text = readSmallFile(path, { what: 'opening', maxBytes: OPENINGS_MAX_BYTES, next: PRINTED }).toString('utf8')
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 0) invalidCommand(`expected an opening in ${path}, got an empty file`, PRINTED)
  return lines.map((line) => parseOpening(line, path))
}

function parseOpening(line: string, path: string): Opening {
  try {
    return z.parse(openingSchema, JSON.parse(line))
  } catch {
    return invalidCommand(`expected an opening in ${path}, got other text`, PRINTED)
  }
}

/** The nonces of all cards in the order of the manifest. Throws COMMAND_INVALID and names the members that are missing. */
export function openingsToNonces(manifest: FrozenManifest, openings: readonly Opening[]): Uint8Array[] {
  const id = bytesToHex(manifestToId(manifest))
  const other = openings.find(({ federation }) => federation !== id)
  if (other !== undefined) {
    invalidCommand(
      `an opening of ${other.peerId} is for federation ${other.federation.slice(0, 16)}, and this manifest is ${id.slice(0, 16)}`,
      'let that member open the manifest that you sent last',
    )
  }
  const cards = [...manifest.members, manifest.central]
  const opened = cards.map(({ peerId, commitment }) =>
    openings
      .filter((opening) => opening.peerId === peerId)
      .map(({ nonce }) => hexToBytes(nonce))
      .find((nonce) => bytesToHex(nonceToCommitment(nonce)) === commitment),
  )
  const missing = cards.filter((_, i) => opened[i] === undefined).map(({ operator }) => operator)
  if (missing.length > 0) {
    invalidCommand(
      `${missing.length} of ${cards.length} openings are missing or wrong: ${missing.join(', ')}`,
      [
        'Wait for them. If a member never opens, found again without it: all others run init once more and send you',
        'their new cards, because an opened nonce serves one founding only.',
      ].join('\n'),
    )
  }
  return opened.map((nonce) => nonce!)
}
