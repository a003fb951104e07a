import { ed25519 } from '@noble/curves/ed25519.js'
import { bytesToNumberLE, numberToBytesLE } from '@noble/curves/utils.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { describe, expect, it } from 'vitest'
import { isSureSignature } from '../../../src/wire/encoding/host-verify.ts'

const { Point } = ed25519
const [P, L] = [2n ** 255n - 19n, Point.Fn.ORDER]
const message = new TextEncoder().encode('what is signed')
const secret = new Uint8Array(32).fill(7)
const key = ed25519.getPublicKey(secret)
const signature = ed25519.sign(message, secret)
const strict = (sig: Uint8Array, msg: Uint8Array, pub: Uint8Array): boolean => {
  try {
    return ed25519.verify(sig, msg, pub, { zip215: false })
  } catch {
    return false
  }
}

/** The eight points whose order divides 8: multiples of L times the first point with a part of order 8. */
const torsion = (() => {
  for (let y = 3n; y < 100n; y++) {
    const bytes = numberToBytesLE(y, 32)
    if (!isPoint(bytes)) continue
    const point = Point.fromBytes(bytes)
    const part = point.multiplyUnsafe(L - 1n).add(point)
    if (!part.double().double().is0()) return Array.from({ length: 8 }, (_, i) => times(part, i))
  }
  throw new Error('no point of order 8')
})()

describe('the host’s word on a signature', () => {
  it('the host verifies a valid signature and refuses every changed one', () => {
    expect(isSureSignature(signature, message, key)).toBe(true)
    for (let bit = 0; bit < 512; bit += 7) {
      const other = Uint8Array.from(signature)
      other[bit >> 3]! ^= 1 << (bit & 7)
      expect(isSureSignature(other, message, key)).toBe(false)
    }
    expect(isSureSignature(signature, message.slice(1), key)).toBe(false)
  })

  it('keys of small order never reach the host, because their signatures fit any message', () => {
    expect(new Set(torsion.map((point) => point.toHex())).size).toBe(8)
    // R is a point of small order and s = 0. Some of these are valid for a check that does not look at the key.
    let held = 0
    for (const a of torsion) {
      for (const sign of [0, 0x80]) {
        const pub = a.toBytes()
        pub[31]! ^= sign
        for (const r of torsion) {
          const forged = new Uint8Array([...r.toBytes(), ...new Uint8Array(32)])
          expect(isSureSignature(forged, message, pub)).toBe(false)
          expect(strict(forged, message, pub)).toBe(false)
          held += Number(ed25519.verify(forged, message, a.toBytes(), { zip215: true }))
        }
      }
    }
    expect(held).toBeGreaterThan(0)
  })

  it('a key with y + p instead of y never reaches the host', () => {
    for (let y = 0n; y < 19n; y++) {
      const twice = numberToBytesLE(y + P, 32)
      for (const r of torsion) {
        const forged = new Uint8Array([...r.toBytes(), ...new Uint8Array(32)])
        expect(isSureSignature(forged, message, twice)).toBe(false)
      }
    }
  })

  it('the host refuses a signature with s + L, as the strict check does', () => {
    const s = bytesToNumberLE(signature.subarray(32)) + L
    const put = new Uint8Array([...signature.subarray(0, 32), ...numberToBytesLE(s, 32)])
    expect(strict(put, message, key)).toBe(false)
    expect(isSureSignature(put, message, key)).toBe(false)
  })

  it('the host leaves a signature undecided that only the strict check with the cofactor accepts', () => {
    // The owner made a key with a part of small order, for which the two checks differ on most messages.
    const { scalar } = ed25519.utils.getExtendedPublicKey(secret)
    const mixed = Point.BASE.multiply(scalar).add(torsion[1]!).toBytes()
    let accepted = 0
    for (let i = 0; i < 8; i++) {
      const text = Uint8Array.of(i)
      const r = 1_000n + BigInt(i)
      const point = Point.BASE.multiply(r).toBytes()
      const k = challenge(point, mixed, text)
      const s = (r + k * scalar) % L
      const made = new Uint8Array([...point, ...numberToBytesLE(s, 32)])
      accepted += Number(strict(made, text, mixed))
      // The strict check accepts every signature that the host accepts.
      if (isSureSignature(made, text, mixed)) expect(strict(made, text, mixed)).toBe(true)
    }
    expect(accepted).toBe(8)
  })
})

function challenge(r: Uint8Array, pub: Uint8Array, text: Uint8Array): bigint {
  return bytesToNumberLE(sha512(new Uint8Array([...r, ...pub, ...text]))) % L
}

function isPoint(bytes: Uint8Array): boolean {
  try {
    return Point.fromBytes(bytes) !== undefined
  } catch {
    return false
  }
}

function times(point: typeof Point.BASE, count: number): typeof Point.BASE {
  return Array.from({ length: count }).reduce<typeof Point.BASE>((sum) => sum.add(point), Point.ZERO)
}
