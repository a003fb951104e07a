import { secretToSigner } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { nativeSigner } from '../../src/platform/native-signer.ts'
import { systemRandom } from '../../src/platform/random.ts'

describe('the native signer', () => {
  it('the native signer gives the key and the signatures of the portable signer, byte for byte', () => {
    const secret = systemRandom(32)
    const [native, portable] = [nativeSigner(secret), secretToSigner(secret)]
    expect(native.key).toEqual(portable.key)
    for (const length of [0, 1, 1000]) {
      const message = systemRandom(length)
      expect(native.sign(message)).toEqual(portable.sign(message))
    }
    expect(native.sign(Uint8Array.of(1))).not.toEqual(native.sign(Uint8Array.of(2)))
  })
})
