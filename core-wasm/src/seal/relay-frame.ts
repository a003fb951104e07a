/**
 * The frames of /geotrace/relay/1 and /geotrace/sealed/1: a sync that a relay cannot read. PROTOCOL.md §7.6.
 * Throws SEAL_UNKNOWN, VERSION_UNKNOWN, and in a reply the refusal's error.
 *
 *  struct SealedRequest { u8 version; u8 enc[32]; u8 sealed[n + 16] }     // of a sync request of n bytes
 *  struct SealedReply   { u8 status; u8 nonce[32]; u8 sealed[n + 16] }    // of a reply or refusal, padded to n bytes
 */
import { expand, extract } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { Random } from '../random.ts'
import { PROTOCOL_VERSION } from '../wire/constants.ts'
import { byteReader, concatBytes, utf8 } from '../wire/encoding/bytes.ts'
import { REFUSAL_BYTES, STATUS_OK, throwRefusal } from '../wire/encoding/status.ts'
import { assertVersion } from '../wire/encoding/version.ts'
import { FederationError } from '../wire/errors.ts'
import { contextToReceive, contextToSend, decrypt, encrypt, SEAL_KEY_BYTES, type SealContext } from './hpke.ts'

const NONCE_BYTES = 32
const AEAD_NONCE_BYTES = 12

/** A key pair of the central peer. */
export interface SealKeys {
  readonly secret: Uint8Array
  readonly key: Uint8Array
}
interface SealedRequest {
  readonly frame: Uint8Array
  /** The sync reply or refusal in an answer. Throws SEAL_UNKNOWN when the central peer did not seal it; the refusal of the relay. */
  openReply(answer: Uint8Array): Uint8Array
}
interface OpenedRequest {
  readonly request: Uint8Array
  /**
   * Seals a reply under a fresh nonce, however often the same request comes. Zeros fill it up to `bytes`, so that a relay
   * cannot tell a refusal from a reply.
   */
  sealReply(reply: Uint8Array, bytes: number, random: Random): Uint8Array
}

/** `receiver`: the seal key in the newest roster. */
export function sealRequest(
  receiver: Uint8Array,
  federation: Uint8Array,
  request: Uint8Array,
  random: Random,
): SealedRequest {
  const context = contextToSend(receiver, toInfo(federation), random)
  return {
    frame: concatBytes(Uint8Array.of(PROTOCOL_VERSION), context.enc, context.seal(request)),
    openReply(answer) {
      const reader = byteReader(answer)
      throwRefusal(reader)
      const nonce = reader.bytes(NONCE_BYTES)
      const { key, aeadNonce } = replyKeys(context, nonce)
      const reply = decrypt(key, aeadNonce, reader.bytes(reader.left))
      return reply[0] === STATUS_OK ? reply : reply.subarray(0, REFUSAL_BYTES)
    },
  }
}

/** Tries the keys in order. Throws SEAL_UNKNOWN when none opens the frame, VERSION_UNKNOWN, MESSAGE_MALFORMED. */
export function openRequest(keys: readonly SealKeys[], federation: Uint8Array, frame: Uint8Array): OpenedRequest {
  const reader = byteReader(frame)
  assertVersion(reader.u8())
  const enc = reader.bytes(SEAL_KEY_BYTES)
  const sealed = reader.bytes(reader.left)
  for (const { secret, key } of keys) {
    const opened = tryOpen(() => {
      const context = contextToReceive(secret, key, enc, toInfo(federation))
      return { context, request: context.open(sealed) }
    })
    if (opened === undefined) continue
    return {
      request: opened.request,
      sealReply(reply, bytes, random) {
        const padded = new Uint8Array(Math.max(bytes, reply.length))
        padded.set(reply)
        const nonce = random(NONCE_BYTES)
        const { key: replyKey, aeadNonce } = replyKeys(opened.context, nonce)
        return concatBytes(Uint8Array.of(STATUS_OK), nonce, encrypt(replyKey, aeadNonce, padded))
      },
    }
  }
  throw new FederationError(
    'SEAL_UNKNOWN',
    'the frame is sealed to a key that is not in force: fetch the newest roster',
  )
}

function tryOpen<T>(open: () => T): T | undefined {
  try {
    return open()
  } catch (error) {
    if (error instanceof FederationError && error.code === 'SEAL_UNKNOWN') return undefined
    throw error
  }
}

function toInfo(federation: Uint8Array): Uint8Array {
  return concatBytes(utf8('geotrace/relay'), federation)
}

/** As RFC 9458 §4.4: each answer has keys of its own, because a replayed request is answered again. */
function replyKeys(context: SealContext, nonce: Uint8Array): { key: Uint8Array; aeadNonce: Uint8Array } {
  const secret = context.exportSecret(utf8('geotrace/relay reply'), SEAL_KEY_BYTES)
  const prk = extract(sha256, secret, concatBytes(context.enc, nonce))
  return {
    key: expand(sha256, prk, utf8('key'), SEAL_KEY_BYTES),
    aeadNonce: expand(sha256, prk, utf8('nonce'), AEAD_NONCE_BYTES),
  }
}
