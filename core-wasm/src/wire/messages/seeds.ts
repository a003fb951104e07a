/**
 * /geotrace/seeds/1: the replicas of a shard give each other its seed, over Noise. PROTOCOL.md §7.4.
 * A replica answers only the other replicas of that shard.
 *
 *  request: u8 version; u8 op; u16 shard; u32 firstEpoch; body       reply: u8 status (otherwise u32 number); body
 *    0 OFFER  Seed                                                     –
 *    1 FETCH  –                                                        Seed
 *  struct Seed { u32 epoch; u8 state[32]; u8 quotaKey[32] }   // the ratchet as it stands at `epoch`
 */

import { HASH_BYTES, PROTOCOL_VERSION, SECRET_BYTES, SEEDS_MAX_BYTES } from '../constants.ts'
import { type ByteReader, byteReader, byteWriter } from '../encoding/bytes.ts'
import { STATUS_OK, throwRefusal } from '../encoding/status.ts'
import { assertVersion } from '../encoding/version.ts'

/** A shard's secret for one period, ratcheted to `epoch`. The key of the quota table is erased together with it. */
export interface Seed {
  epoch: number
  state: Uint8Array
  quotaKey: Uint8Array
}
/** The first epoch names the period. */
export type SeedsRequest =
  | { op: 'offer'; shard: number; firstEpoch: number; seed: Seed }
  | { op: 'fetch'; shard: number; firstEpoch: number }

export function encodeSeedsRequest(request: SeedsRequest): Uint8Array {
  const writer = byteWriter(SEEDS_MAX_BYTES)
    .u8(PROTOCOL_VERSION)
    .u8(request.op === 'offer' ? 0 : 1)
  writer.u16(request.shard).u32(request.firstEpoch)
  if (request.op === 'offer') writeSeed(writer, request.seed)
  return writer.finish()
}

/** Throws MESSAGE_MALFORMED, VERSION_UNKNOWN. */
export function decodeSeedsRequest(bytes: Uint8Array): SeedsRequest {
  const reader = byteReader(bytes)
  assertVersion(reader.u8())
  const op = reader.u8()
  if (op > 1) reader.refuse(`expected operation 0 or 1, got ${op}`)
  const head = { shard: reader.u16(), firstEpoch: reader.u32() }
  const request: SeedsRequest = op === 0 ? { op: 'offer', ...head, seed: readSeed(reader) } : { op: 'fetch', ...head }
  reader.end()
  return request
}

export function encodeSeedReply(seed: Seed): Uint8Array {
  const writer = byteWriter(SEEDS_MAX_BYTES).u8(STATUS_OK)
  writeSeed(writer, seed)
  return writer.finish()
}

export function decodeSeedReply(bytes: Uint8Array): Seed {
  const reader = byteReader(bytes)
  throwRefusal(reader)
  const seed = readSeed(reader)
  reader.end()
  return seed
}

function writeSeed(writer: ReturnType<typeof byteWriter>, { epoch, state, quotaKey }: Seed): void {
  writer.u32(epoch).bytes(state, SECRET_BYTES).bytes(quotaKey, HASH_BYTES)
}

function readSeed(reader: ByteReader): Seed {
  return { epoch: reader.u32(), state: reader.bytes(SECRET_BYTES), quotaKey: reader.bytes(HASH_BYTES) }
}
