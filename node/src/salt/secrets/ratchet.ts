/**
 * The ratchet of a seed. PROTOCOL.md §5.1. Pure; hashes through the core's batches.
 *   leaf_e = H("geotrace/leaf" ‖ r_e), r_(e+1) = H("geotrace/ratchet" ‖ r_e).
 * r_e cannot be computed from r_(e+1), so erasing r_e erases the secrets of epoch e.
 */
import type { Core } from '@geotrace/core-wasm'
import { SECRET_BYTES, utf8 } from '@geotrace/core-wasm/wire'
import { copySecret, secretBytes } from './secret-bytes.ts'

export type Hashes = Pick<Core, 'sha256Batch' | 'hmacBatch'>

const LEAF = utf8('geotrace/leaf')
const RATCHET = utf8('geotrace/ratchet')

export function stateToLeaf(core: Hashes, state: Uint8Array): Uint8Array {
  return hashSecret(core, LEAF, state)
}

export function nextState(core: Hashes, state: Uint8Array): Uint8Array {
  return hashSecret(core, RATCHET, state)
}

/** r at `toEpoch` from r at `epoch`. Wipes the states between; the caller wipes `state` and the result. */
export function ratchetTo(core: Hashes, state: Uint8Array, epoch: number, toEpoch: number): Uint8Array {
  let current = copySecret(state)
  for (let e = epoch; e < toEpoch; e++) {
    const next = nextState(core, current)
    current.fill(0)
    current = copySecret(next)
    next.fill(0)
  }
  return current
}

function hashSecret(core: Hashes, domain: Uint8Array, secret: Uint8Array): Uint8Array {
  const message = secretBytes(domain.length + SECRET_BYTES)
  message.set(domain)
  message.set(secret, domain.length)
  const digest = core.sha256Batch(message, message.length)
  message.fill(0)
  return digest
}
