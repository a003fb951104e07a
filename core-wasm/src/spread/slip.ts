/**
 * A slip: one bucket, sealed to the teller and then to the mixer. PROTOCOL.md §9.2. Every slip has the same length, and no
 * slip shows its bucket to the central peer. Throws SEAL_UNKNOWN for a slip or item of other keys, another period or
 * federation, or changed bytes; MESSAGE_MALFORMED for an item of another form.
 *
 *  item of 8 bytes: u8 1 | u32 bucket | u8 0 [3]
 */
import type { Random } from '../random.ts'
import { openSealed, type SealMath, sealTo } from '../seal/hpke.ts'
import { SPREAD_ITEM_BYTES } from '../wire/constants.ts'
import { byteReader, byteWriter, concatBytes, utf8 } from '../wire/encoding/bytes.ts'

const VERSION = 1
const PLAIN_BYTES = 8
const ROLE_MIXER = 0
const ROLE_TELLER = 1

/** The context of a slip: no slip of one period or federation opens in another. */
export interface SpreadContext {
  readonly federation: Uint8Array
  readonly period: number
}
/** X25519 keys of the period's mixer and teller, 32 bytes each. */
interface SpreadKeys {
  readonly mixer: Uint8Array
  readonly teller: Uint8Array
}

export function makeSlip(
  context: SpreadContext,
  { mixer, teller }: SpreadKeys,
  bucket: number,
  random: Random,
  math?: SealMath,
): Uint8Array {
  return sealTo(mixer, toInfo(context, ROLE_MIXER), makeItem(context, teller, bucket, random, math), random, math)
}

/** A slip without its outer layer. */
export function makeItem(
  context: SpreadContext,
  teller: Uint8Array,
  bucket: number,
  random: Random,
  math?: SealMath,
): Uint8Array {
  const plain = byteWriter(PLAIN_BYTES).u8(VERSION).u32(bucket).bytes(new Uint8Array(3)).finish()
  return sealTo(teller, toInfo(context, ROLE_TELLER), plain, random, math)
}

/** The item in a slip, as the mixer opens it. */
export function openSlip(context: SpreadContext, secret: Uint8Array, slip: Uint8Array, math?: SealMath): Uint8Array {
  const item = openSealed(secret, toInfo(context, ROLE_MIXER), slip, math)
  if (item.length !== SPREAD_ITEM_BYTES) byteReader(item).refuse(`expected an item of ${SPREAD_ITEM_BYTES} bytes`)
  return item
}

/** The bucket in an item, as the teller opens it. The bucket may lie outside the grid. */
export function openItem(context: SpreadContext, secret: Uint8Array, item: Uint8Array, math?: SealMath): number {
  const reader = byteReader(openSealed(secret, toInfo(context, ROLE_TELLER), item, math))
  if (reader.u8() !== VERSION) reader.refuse(`expected version ${VERSION} of an item`)
  const bucket = reader.u32()
  if (reader.bytes(3).some((byte) => byte !== 0)) reader.refuse('expected zero padding')
  reader.end()
  return bucket
}

function toInfo({ federation, period }: SpreadContext, role: number): Uint8Array {
  return concatBytes(utf8('geotrace/spread'), federation, byteWriter(5).u32(period).u8(role).finish())
}
