/**
 * Peer ids of Ed25519 keys without libp2p: base58btc of the identity multihash of the protobuf-wrapped key (libp2p
 * specs, peer-ids). Other key types are refused (TypeError).
 */
import { base58btc } from 'multiformats/bases/base58'
import { KEY_BYTES } from '../constants.ts'
import { concatBytes } from './bytes.ts'

/** Identity multihash of 36 bytes: protobuf {type: Ed25519, data: 32 bytes}. */
const PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)

/** Base58 of these 38 bytes has at most so many characters. Decoding takes time that grows with their square. */
const PEER_ID_MAX = 52

export function keyToPeerId(key: Uint8Array): string {
  if (key.length !== KEY_BYTES) throw new RangeError(`"key" expected 32 bytes, got ${key.length}`)
  return base58btc.encode(concatBytes(PREFIX, key)).slice(1)
}

/** The 32-byte key. Throws TypeError unless `peerId` names an Ed25519 key. */
export function peerIdToKey(peerId: string): Uint8Array {
  if (peerId.length > PEER_ID_MAX) throw new TypeError(`"peerId" expected at most ${PEER_ID_MAX} characters`)
  const bytes = base58btc.decode(`z${peerId}`)
  if (bytes.length !== PREFIX.length + KEY_BYTES || PREFIX.some((byte, i) => bytes[i] !== byte)) {
    throw new TypeError('"peerId" expected the peer id of an Ed25519 key')
  }
  return bytes.slice(PREFIX.length)
}

export function isValidPeerId(peerId: string): boolean {
  try {
    peerIdToKey(peerId)
    return true
  } catch {
    return false
  }
}
