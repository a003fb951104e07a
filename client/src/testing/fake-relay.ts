/**
 * The relay of the fake federation: opens sealed syncs, hands them to the central peer and seals the replies. PROTOCOL.md §7.6.
 * In a real federation the central peer opens them, and the relay reads nothing.
 */
import { openRequest, secretToSealKey } from '@geotrace/core-wasm/seal'
import { TEST_AUTHORITY } from '@geotrace/core-wasm/testing'
import {
  encodeRefusal,
  errorToRefusal,
  type Manifest,
  manifestToId,
  type Protocol,
  STATUS_INTERNAL,
} from '@geotrace/core-wasm/wire'
import { sha256 } from '@noble/hashes/sha2.js'

/** The syncs that the central peer opens; `intercept` sees them under this name, after the sealed frame to the relay. */
export const OPENED_SYNC: Protocol = { id: 'opened sync', requestMaxBytes: 65_536, replyMaxBytes: 16_384 }

/** The part of a fake federation that its relay uses. */
interface RelayWorld {
  readonly manifest: Manifest
  readonly sealSecrets: readonly Uint8Array[]
  intercept(
    peer: string,
    protocol: Protocol,
    frame: Uint8Array,
    serve: (frame: Uint8Array) => Promise<Uint8Array>,
  ): Promise<Uint8Array>
}

/** A refusal that `intercept` throws for the central peer is sealed. Other errors break the connection to the relay. */
export function fakeRelay(world: RelayWorld, serve: (request: Uint8Array) => Uint8Array) {
  const { manifest } = world
  let count = 0
  const random = (bytes: number): Uint8Array => sha256(Uint8Array.of(count++ & 0xff, count >> 8)).slice(0, bytes)

  return async (frame: Uint8Array): Promise<Uint8Array> => {
    const keys = world.sealSecrets.map((secret) => ({ secret, key: secretToSealKey(secret) }))
    let opened: ReturnType<typeof openRequest>
    try {
      opened = openRequest(keys, manifestToId(manifest), frame)
    } catch (error) {
      return toRefusal(error)
    }
    const answer = world.intercept(TEST_AUTHORITY, OPENED_SYNC, opened.request, async (bytes) => serve(bytes))
    return opened.sealReply(await answer.catch(toRefusal), manifest.parameters.syncReplyBytes, random)
  }
}

function toRefusal(error: unknown): Uint8Array {
  const refusal = errorToRefusal(error)
  if (refusal.status === STATUS_INTERNAL) throw error
  return encodeRefusal(refusal)
}
