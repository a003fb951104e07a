import { seededRandom } from '@geotrace/node/testing'
import { ed25519 as noble, x25519 as nobleExchange } from '@noble/curves/ed25519.js'
import { expect, it } from 'vitest'
import { ed25519 as native, x25519 as nativeExchange, nativeSigner } from './native-ed25519.ts'

it('the native Ed25519 signs and verifies as @noble/curves does, also altered signatures and messages', () => {
  const random = seededRandom('ed25519')
  for (let i = 0; i < 50; i++) {
    const secret = random.bytes(32)
    const message = random.bytes(1 + random.below(300))
    const key = noble.getPublicKey(secret)
    const signature = noble.sign(message, secret)
    expect(native.getPublicKey(secret)).toEqual(key)
    expect(native.sign(message, secret)).toEqual(signature)
    // The second signature comes from the signer that the first call cached.
    for (let k = 0; k < 2; k++) expect(nativeSigner(secret).sign(message)).toEqual(signature)
    expect(nativeSigner(secret).key).toEqual(key)
    const flip = (bytes: Uint8Array): Uint8Array => {
      const copy = bytes.slice()
      const at = random.below(copy.length)
      copy[at] = copy[at]! ^ (1 << random.below(8))
      return copy
    }
    const judge = (of: typeof native | typeof noble, s: Uint8Array, m: Uint8Array, k: Uint8Array): boolean => {
      try {
        return of.verify(s, m, k, { zip215: false })
      } catch {
        return false
      }
    }
    for (const [s, m, k] of [
      [signature, message, key],
      [signature, message, key],
      [flip(signature), message, key],
      [signature, flip(message), key],
      [random.bytes(64), message, key],
      [signature, message, noble.getPublicKey(random.bytes(32))],
    ] as const) {
      expect(judge(native, s, m, k)).toBe(judge(noble, s, m, k))
    }
    expect(judge(native, signature, message, key)).toBe(true)
    // The native library did not make this signature, so its result is not cached.
    const other = random.bytes(32)
    expect(judge(native, noble.sign(message, other), message, noble.getPublicKey(other))).toBe(true)
  }
})

it('the native X25519 gives the keys and secrets of @noble/curves, and refuses points of small order', () => {
  const random = seededRandom('x25519')
  for (let i = 0; i < 50; i++) {
    const [own, other] = [random.bytes(32), random.bytes(32)]
    const key = nobleExchange.getPublicKey(other)
    expect(nativeExchange.getPublicKey(other)).toEqual(key)
    expect(nativeExchange.getSharedSecret(own, key)).toEqual(nobleExchange.getSharedSecret(own, key))
  }
  expect(() => nativeExchange.getSharedSecret(random.bytes(32), new Uint8Array(32))).toThrow()
})
