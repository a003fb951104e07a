/** OpenSSL's arithmetic against that of @noble, through the same seal. */
import { randomBytes } from 'node:crypto'
import { contextToSend, openSealed, type SealMath, sealTo, secretToSealKey } from '@geotrace/core-wasm/seal'
import { bytesToHex, hexToBytes, utf8 } from '@geotrace/core-wasm/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nativeSeal } from '../../src/spread/native-seal.ts'

const random = (length: number) => new Uint8Array(randomBytes(length))
const UNKNOWN = expect.objectContaining({ code: 'SEAL_UNKNOWN' })
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })

describe('the native arithmetic of a seal', () => {
  it('the vector of RFC 9180 A.2.1 holds', () => {
    const math = nativeSeal()
    const receiver = hexToBytes('4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a')
    const ephemeral = hexToBytes('f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600')
    const info = hexToBytes('4f6465206f6e2061204772656369616e2055726e')
    const context = contextToSend(receiver, info, () => ephemeral, math)
    const sealed = context.seal(utf8('Beauty is truth, truth beauty'), utf8('Count-0'))
    expect(bytesToHex(sealed)).toBe(
      '1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28',
    )
    expect(bytesToHex(context.exportSecret(utf8('TestContext'), 32))).toBe(
      '5acb09211139c43b3090489a9da433e8a30ee7188ba8b0a9a1ccf0c229283e53',
    )
  })

  it('both arithmetics seal the same bytes and open each other', () => {
    fc.assert(
      fc.property(bytes32, bytes32, fc.uint8Array({ maxLength: 90 }), fc.boolean(), (...drawn) => {
        const [secret, ephemeral, plain, isEphemeral] = drawn
        const math = nativeSeal({ isEphemeral })
        const key = secretToSealKey(secret)
        expect(secretToSealKey(secret, math)).toEqual(key)
        const [noble, native] = [undefined, math].map((item?: SealMath) =>
          sealTo(key, utf8('x'), plain, () => ephemeral.slice(), item),
        )
        expect(native).toEqual(noble)
        expect(openSealed(secret, utf8('x'), noble!, math)).toEqual(plain)
        expect(openSealed(secret, utf8('x'), native!)).toEqual(plain)
      }),
      { numRuns: 25 },
    )
  })

  it('changed bits, other keys and keys of small order do not open', () => {
    const math = nativeSeal()
    const secret = random(32)
    const sealed = sealTo(secretToSealKey(secret, math), utf8('x'), random(8), random, math)
    for (let bit = 0; bit < 8 * sealed.length; bit++) {
      const bent = sealed.slice()
      bent[bit >> 3]! ^= 1 << (bit & 7)
      expect(() => openSealed(secret, utf8('x'), bent, math)).toThrow(UNKNOWN)
    }
    expect(() => openSealed(random(32), utf8('x'), sealed, math)).toThrow(UNKNOWN)
    expect(() => openSealed(secret, utf8('x'), sealed.subarray(0, 40), math)).toThrow(UNKNOWN)
    for (const low of [0, 1]) {
      const key = new Uint8Array(32)
      key[0] = low
      expect(() => sealTo(key, utf8('x'), random(8), random, math)).toThrow(UNKNOWN)
    }
  })
})
