import { hkdfSync } from 'node:crypto'
import { concatBytes, secretToSigner, utf8 } from '@geotrace/core-wasm/wire'
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../../src/platform/random.ts'
import { hedgedRandom } from '../../../src/salt/secrets/hedged-random.ts'

const SECRET = new Uint8Array(32).fill(7)
const signer = secretToSigner(SECRET)
const stuck = (length: number) => new Uint8Array(length).fill(9)
const at = (nowMs: number) => ({ now: () => nowMs })

describe('the random bytes of a seed', () => {
  it('a draw is that of RFC 8937, by the HKDF of OpenSSL and the signature of @noble/curves', () => {
    const domain = utf8('geotrace/randomness')
    const message = concatBytes(Uint8Array.of(domain.length), domain, new Uint8Array(4))
    const salt = sha256(ed25519.sign(message, SECRET))
    const random = hedgedRandom(stuck, signer, at(5))
    for (const [i, length] of [32, 16, 100].entries()) {
      const info = new Uint8Array(12)
      info.set([5], 7)
      info.set([i], 11)
      const wanted = new Uint8Array(hkdfSync('sha256', stuck(Math.max(length, 32)), salt, info, length))
      expect(random(length)).toEqual(wanted)
    }
  })

  it('a generator that is stuck still gives another draw each time, at each time and under each key', () => {
    const draws = [signer, secretToSigner(new Uint8Array(32).fill(8))].flatMap((own) =>
      [1, 2].flatMap((nowMs) => {
        const random = hedgedRandom(stuck, own, at(nowMs))
        return [random(32), random(32)]
      }),
    )
    expect(new Set(draws.map((draw) => Buffer.from(draw).toString('hex'))).size).toBe(draws.length)
  })

  it('equal keys and clocks give distinct draws from a sound generator, and a draw that is too long is refused', () => {
    const [a, b] = [hedgedRandom(systemRandom, signer, at(1)), hedgedRandom(systemRandom, signer, at(1))]
    expect(a(32)).not.toEqual(b(32))
    expect(() => a(8_161)).toThrow(RangeError)
  })
})
