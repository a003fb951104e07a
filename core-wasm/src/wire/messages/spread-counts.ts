/**
 * A published spread: the noisy count of each bucket in one period, signed by the teller. PROTOCOL.md §9.9. The signature is
 * over a hash, so that evidence of two spreads need not carry them. Throws MESSAGE_MALFORMED.
 *
 *  struct Spread { u8 version; u8 federation[32]; u32 period; u8 days; u8 resolution; u16 epsilon; u16 areas;
 *                  u32 area[areas]; u8 roster[8]; u16 mixer; u16 teller; i16 count[1 + buckets]; u8 signature[64] }
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { GOSSIP_MAX_BYTES, HASH_BYTES, PROTOCOL_VERSION, ROSTER_NAME_BYTES, SIGNATURE_BYTES } from '../constants.ts'
import { byteReader, byteWriter, concatBytes } from '../encoding/bytes.ts'
import { isValidSignature, type Signer, signContent } from '../encoding/signature.ts'
import { assertVersion } from '../encoding/version.ts'
import { REGIONS, type SpreadParameters, spreadBuckets, spreadToProblem } from '../spread-rules.ts'

/** The counts fit i16. */
const COUNT_MAX = 0x7fff
const SIGN = 0x8000
/** Bytes of a spread beside areas and counts. */
const HEAD_BYTES = 1 + HASH_BYTES + 4 + 1 + 1 + 2 + 2 + ROSTER_NAME_BYTES + 4

/** `areas`, `resolution` and `epsilon` as the ruling roster has them. */
export interface SpreadContent extends Pick<SpreadParameters, 'areas' | 'resolution' | 'epsilon'> {
  federation: Uint8Array
  period: number
  days: number
  /** The name of the ruling roster. */
  roster: Uint8Array
  /** Indices into the members of the ruling roster. */
  mixer: number
  teller: number
  /** Bucket 0 first; counts beyond ± 32,767 saturate. */
  counts: readonly number[]
}
export interface Spread extends SpreadContent {
  signature: Uint8Array
}

export function signSpread(teller: Signer, content: SpreadContent): Spread {
  const counts = content.counts.map((count) => Math.max(-COUNT_MAX, Math.min(COUNT_MAX, count)))
  const unsigned = { ...content, counts }
  return { ...unsigned, signature: signContent(teller, 'geotrace/spread', toSignedContent(toStatement(unsigned))) }
}

export function isValidSpread(spread: Spread, tellerKey: Uint8Array): boolean {
  return isValidSpreadStatement({ ...toStatement(spread), signature: spread.signature }, tellerKey)
}

/** The teller signs one statement for each federation and period. */
interface SpreadStatement {
  federation: Uint8Array
  period: number
  /** SHA-256 of the encoded spread without its signature. */
  hash: Uint8Array
}

export function toStatement(content: SpreadContent): SpreadStatement {
  const { federation, period } = content
  return { federation, period, hash: sha256(encodeContent(content)) }
}

export function isValidSpreadStatement(
  { signature, ...statement }: SpreadStatement & { signature: Uint8Array },
  tellerKey: Uint8Array,
): boolean {
  return isValidSignature(tellerKey, 'geotrace/spread', toSignedContent(statement), signature)
}

export function encodeSpread(spread: Spread): Uint8Array {
  return concatBytes(encodeContent(spread), spread.signature)
}

/** Decodes only; `isValidSpread` checks the signature. Throws MESSAGE_MALFORMED, VERSION_UNKNOWN. */
export function decodeSpread(bytes: Uint8Array): Spread {
  const reader = byteReader(bytes)
  if (bytes.length > GOSSIP_MAX_BYTES) reader.refuse(`expected at most ${GOSSIP_MAX_BYTES} bytes, got ${bytes.length}`)
  assertVersion(reader.u8())
  const head = { federation: reader.bytes(HASH_BYTES), period: reader.u32(), days: reader.u8() }
  const grid = { resolution: reader.u8(), epsilon: reader.u16(), areas: [] as number[] }
  for (let left = reader.u16(); left > 0; left--) grid.areas.push(reader.u32())
  if (!isGrid(grid, head.days)) reader.refuse('expected the grid of a spread')
  const roles = { roster: reader.bytes(ROSTER_NAME_BYTES), mixer: reader.u16(), teller: reader.u16() }
  const counts = Array.from({ length: 1 + spreadBuckets(grid) }, () => {
    const count = reader.u16()
    if (count === SIGN) reader.refuse(`expected a count of at least ${-COUNT_MAX}`)
    return count >= SIGN ? count - 2 * SIGN : count
  })
  const signature = reader.bytes(SIGNATURE_BYTES)
  reader.end()
  return { ...head, ...grid, ...roles, counts, signature }
}

function isGrid(grid: Pick<SpreadParameters, 'areas' | 'resolution' | 'epsilon'>, days: number): boolean {
  const { areas, resolution, epsilon } = grid
  const isRange = resolution >= 5 && resolution <= 8 && epsilon >= 100 && epsilon <= 4_000 && days >= 1 && days <= 14
  if (!isRange || areas.length === 0 || areas.some((area) => area >= REGIONS)) return false
  return spreadToProblem({ ...grid, periodDays: days, minimum: 20 }) === undefined
}

function encodeContent({ federation, period, days, resolution, epsilon, areas, ...rest }: SpreadContent): Uint8Array {
  const { roster, mixer, teller, counts } = rest
  const writer = byteWriter(HEAD_BYTES + 4 * areas.length + 2 * counts.length).u8(PROTOCOL_VERSION)
  writer.bytes(federation, HASH_BYTES).u32(period).u8(days).u8(resolution).u16(epsilon).u16(areas.length)
  for (const area of areas) writer.u32(area)
  writer.bytes(roster, ROSTER_NAME_BYTES).u16(mixer).u16(teller)
  for (const count of counts) writer.u16(count < 0 ? count + 2 * SIGN : count)
  return writer.finish()
}

function toSignedContent({ federation, period, hash }: SpreadStatement): Uint8Array {
  return byteWriter(2 * HASH_BYTES + 4)
    .bytes(federation, HASH_BYTES)
    .u32(period)
    .bytes(hash, HASH_BYTES)
    .finish()
}
