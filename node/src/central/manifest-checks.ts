/** Checks that a central peer makes of its manifest. PROTOCOL.md §8. Throws MANIFEST_INVALID. */
import { FederationError, keyToPeerId, type Manifest, marksPerReply, SYNC_GROUPS_MAX } from '@geotrace/core-wasm/wire'
import type { Host } from '../net/protocol.ts'

/** A reply must have room for the refusal of every group and one mark, or a device would take refused rows for stored. */
export function assertReplySize({ parameters }: Manifest): void {
  if (marksPerReply(parameters.syncReplyBytes, SYNC_GROUPS_MAX) < 1) {
    refuse('parameters.syncReplyBytes', `${parameters.syncReplyBytes} bytes cannot refuse ${SYNC_GROUPS_MAX} groups`)
  }
}

export function assertCentralKey({ key }: Host, { central }: Manifest): void {
  const own = keyToPeerId(key)
  if (own !== central.peerId)
    refuse('central.peerId', `the manifest expected ${central.peerId}, but this peer is ${own}`)
}

function refuse(path: string, reason: string): never {
  throw new FederationError('MANIFEST_INVALID', `federation.json: ${path}: ${reason}`, { path, reason })
}
