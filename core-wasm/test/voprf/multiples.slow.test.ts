/** Sums of multiples against libsodium and noble on a million inputs. It takes minutes. */
import { ristretto255 } from '@noble/curves/ed25519.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { expect, it } from 'vitest'
import { randomBytes, seeded } from '../../src/testing/index.ts'
import { loadGroup } from '../../src/voprf/index.ts'

const TERMS = 36
const SUMS = 27_778
/** Noble takes ten times as long as libsodium. */
const NOBLE_EVERY = 100
const ENCODINGS = 1_000_000
const { Point } = ristretto255
const { Fn } = Point
const group = await loadGroup()
const draw = seeded(0x4754_0022)
const random = (length: number) => randomBytes(draw, length)

it('27,778 sums of 36 terms, a million in all, agree with libsodium, and every hundredth with noble', () => {
  for (let i = 0; i < SUMS; i++) {
    const factors = Array.from({ length: TERMS }, () => group.scalarReduce(random(64)))
    const elements = Array.from({ length: TERMS }, () => group.fromHash(random(64)))
    const ours = bytesToHex(group.sum(factors, elements))
    const products = elements.map((element, j) => group.multiply(factors[j]!, element))
    if (ours !== bytesToHex(products.reduce(group.add))) expect.unreachable(`sum ${i} differs from libsodium`)
    if (i % NOBLE_EVERY > 0) continue
    const points = elements.map((element, j) => Point.fromBytes(element).multiply(Fn.fromBytes(factors[j]!)))
    expect(ours).toBe(points.reduce((a, b) => a.add(b)).toHex())
  }
}, 3_600_000)

it('a million encodings are elements exactly when they are for libsodium, and stay the same', () => {
  let elements = 0
  for (let i = 0; i < ENCODINGS; i++) {
    const bytes = random(32)
    // Half of the encodings with both bits clear are elements, and none of the others.
    if (i % 8 > 0) {
      bytes[0]! &= 0xfe
      bytes[31]! &= 0x7f
    }
    const isElement = group.isElement(bytes)
    if (isElement) elements++
    let ours: Uint8Array | undefined
    try {
      ours = group.sum([1], [bytes])
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError)
    }
    if (isElement !== (ours !== undefined)) expect.unreachable(`${bytesToHex(bytes)} is judged differently`)
    if (ours !== undefined && Buffer.compare(ours, bytes) !== 0) expect.unreachable(`${bytesToHex(bytes)} changes`)
  }
  expect(elements).toBeGreaterThan(ENCODINGS / 5)
}, 3_600_000)
