import { openRequest, type SealKeys, secretToSealKey } from '@geotrace/core-wasm/seal'
import { testManifest } from '@geotrace/core-wasm/testing'
import {
  bytesToHex,
  decodeSyncRequest,
  encodeRefusal,
  errorToRefusal,
  FederationError,
  manifestToId,
} from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { checkRelay } from '../../../src/cli/doctor/relay.ts'
import { systemRandom } from '../../../src/platform/random.ts'

const manifest = testManifest()
const { syncRequestBytes, syncReplyBytes } = manifest.parameters

const newKeys = (): SealKeys => {
  const secret = systemRandom(32)
  return { secret, key: secretToSealKey(secret) }
}
const named = newKeys()

/** The finding about a relay whose way to the central peer ends in `answer`. */
async function finding(answer: (frame: Uint8Array) => Uint8Array) {
  const host = { request: async (_peer: unknown, _protocol: unknown, frame: Uint8Array) => answer(frame) }
  const self = { key: systemRandom(32), addresses: [] }
  return await checkRelay({ host, self, manifest, seal: bytesToHex(named.key) })
}

/** A central peer that opens frames with these keys. */
const central = (keys: readonly SealKeys[]) => (frame: Uint8Array) => {
  const { request, sealReply } = openRequest(keys, manifestToId(manifest), frame)
  try {
    decodeSyncRequest(request, syncRequestBytes)
  } catch (error) {
    return sealReply(encodeRefusal(errorToRefusal(error)), syncReplyBytes, systemRandom)
  }
  throw new Error('the doctor sent a sync')
}
const refusing = (error: FederationError) => () => {
  throw error
}

describe('the check of a node as a relay', () => {
  it('a central peer that opens the frame refuses what is in it, and the check passes', async () => {
    expect(await finding(central([newKeys(), named]))).toMatchObject({ check: 'relay', severity: 'ok' })
  })

  it('a central peer without the key, or that does not answer, gives a warning with a next step', async () => {
    expect(await finding(central([newKeys()]))).toMatchObject({
      severity: 'warn',
      what: expect.stringMatching(/no key for the seal/),
    })
    const away = refusing(new FederationError('BUSY', 'the central peer does not answer', { retryAfterMs: 5_000 }))
    expect(await finding(away)).toMatchObject({
      severity: 'warn',
      what: expect.stringMatching(/does not answer through this node/),
    })
  })

  it('a relay that this machine may not use, or not now, is not blamed', async () => {
    const listed = refusing(new FederationError('NOT_ALLOWED', 'other addresses only'))
    expect(await finding(listed)).toMatchObject({ severity: 'ok', what: expect.stringMatching(/not checked/) })
    const spent = refusing(new FederationError('QUOTA_SPENT', 'too many frames', { retryAfterMs: 1 }))
    expect(await finding(spent)).toMatchObject({ severity: 'warn', what: expect.stringMatching(/not checked/) })
  })
})
