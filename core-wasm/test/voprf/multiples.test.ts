import { readFileSync } from 'node:fs'
import { ristretto255 } from '@noble/curves/ed25519.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { describe, expect, it } from 'vitest'
import { randomBytes, seeded } from '../../src/testing/index.ts'
import { GENERATOR, loadGroup } from '../../src/voprf/index.ts'
import { type Factor, loadMultiples } from '../../src/voprf/multiples.ts'
import { REFUSED, SMALL_ORDER } from './encodings.ts'

/** The oracles: noble's ristretto255, and products and sums by libsodium. */
const { Point } = ristretto255
const { Fn } = Point
const TERMS = 64
const group = await loadGroup()
const sum = await loadMultiples()
const draw = seeded(0x4754_0021)
const random = (length: number) => randomBytes(draw, length)
const scalar = () => group.scalarReduce(random(64))
const element = () => group.fromHash(random(64))
const toValue = (factor: Factor) => Fn.create(typeof factor === 'number' ? BigInt(factor) : littleEndian(factor))
const littleEndian = (bytes: Uint8Array) => BigInt(`0x${bytesToHex(Uint8Array.from(bytes).reverse())}`)
const toFactor = (value: bigint) => hexToBytes(value.toString(16).padStart(64, '0')).reverse()
const noble = (factors: readonly Factor[], elements: readonly Uint8Array[]) =>
  elements.reduce((total, item, i) => {
    const value = toValue(factors[i]!)
    return value === 0n ? total : total.add(Point.fromBytes(item).multiply(value))
  }, Point.ZERO)

/** Factors at which digits carry far, begin, end or vanish. */
const EDGES: readonly bigint[] = [
  ...[0n, 1n, 2n, 15n, 16n, 17n, 31n, 2n ** 52n, 2n ** 64n - 1n, 2n ** 64n, 2n ** 128n - 1n, 2n ** 252n - 1n],
  ...[
    2n ** 252n,
    2n ** 253n - 1n,
    Fn.ORDER - 1n,
    Fn.ORDER,
    Fn.ORDER + 1n,
    (2n ** 253n - 1n) / 3n,
    (2n ** 252n - 1n) / 5n,
  ],
]

describe('sums of multiples', () => {
  it('the module has no imports and fits a page of code', () => {
    const wasm = readFileSync(new URL('../../build/msm.wasm', import.meta.url))
    expect(WebAssembly.Module.imports(new WebAssembly.Module(wasm))).toEqual([])
    expect(wasm.length).toBeLessThan(8_192)
  })

  it('sums of 1 to 64 terms agree with noble and with libsodium', () => {
    for (const count of [1, 2, 3, 5, 36, TERMS]) {
      const factors = Array.from({ length: count }, scalar)
      const elements = Array.from({ length: count }, element)
      const ours = bytesToHex(sum(factors, elements))
      expect(ours).toBe(noble(factors, elements).toHex())
      const products = elements.map((item, i) => group.multiply(factors[i]!, item))
      expect(ours).toBe(bytesToHex(products.reduce(group.add)))
    }
  })

  it('small integers of both signs agree with noble', () => {
    const small = [1, -1, 2, -3, 10, -15, 16, 17, -455, 2 ** 31, -(2 ** 40) - 1, Number.MAX_SAFE_INTEGER]
    for (let i = 0; i < 40; i++) {
      const factors = Array.from({ length: 1 + (i % 5) }, (_, j) => small[(i * 5 + j * 7) % small.length]!)
      const elements = factors.map(element)
      expect(bytesToHex(sum(factors, elements))).toBe(noble(factors, elements).toHex())
    }
  })

  it('factors at every edge agree with noble, alone and beside others', () => {
    for (const edge of EDGES) {
      const [own, other] = [element(), element()]
      const beside = [toFactor(edge), scalar()]
      expect(bytesToHex(sum(beside, [own, other])), String(edge)).toBe(noble(beside, [own, other]).toHex())
      if (Fn.create(edge) === 0n) expect(() => sum([toFactor(edge)], [own])).toThrow(RangeError)
      else expect(bytesToHex(sum([toFactor(edge)], [own]))).toBe(noble([toFactor(edge)], [own]).toHex())
    }
  })

  it('the same element twice, an element and its opposite, and the generator are terms like others', () => {
    const [own, other, factor] = [element(), element(), scalar()]
    const opposite = sum([-1], [own])
    expect(bytesToHex(sum([factor, factor], [own, own]))).toBe(
      bytesToHex(sum([group.scalarAdd(factor, factor)], [own])),
    )
    expect(() => sum([factor, factor], [own, opposite])).toThrow(RangeError)
    expect(() => sum([1, -1], [own, own])).toThrow(RangeError)
    expect(bytesToHex(sum([factor, factor, 1], [own, opposite, other]))).toBe(bytesToHex(other))
    expect(bytesToHex(GENERATOR)).toBe(Point.BASE.toHex())
    expect(bytesToHex(sum([factor], [GENERATOR]))).toBe(bytesToHex(group.multiplyBase(factor)))
  })

  it('encodings that are not canonical, the identity and points of small order are a RangeError in any place', () => {
    for (const bad of [...REFUSED, ...SMALL_ORDER, new Uint8Array(32)]) {
      for (const elements of [[bad], [bad, element()], [element(), bad]]) {
        expect(() => sum(elements.map(scalar), elements), bytesToHex(bad)).toThrow(RangeError)
      }
    }
  })

  it('random bytes are an element here exactly when they are one for libsodium', () => {
    let elements = 0
    for (let i = 0; i < 500; i++) {
      const bytes = random(32)
      bytes[0]! &= 0xfe
      bytes[31]! &= 0x7f
      if (group.isElement(bytes)) {
        elements++
        expect(bytesToHex(sum([1], [bytes]))).toBe(bytesToHex(bytes))
      } else expect(() => sum([1], [bytes])).toThrow(RangeError)
    }
    expect(elements).toBeGreaterThan(50)
  })

  it('no terms, too many, another length, a factor of 2^253 and a fraction are a RangeError', () => {
    const many = Array.from({ length: TERMS + 1 }, element)
    expect(() => sum([], [])).toThrow(RangeError)
    expect(() => sum(many.map(scalar), many)).toThrow(RangeError)
    expect(() => sum([scalar()], [element(), element()])).toThrow(RangeError)
    expect(() => sum([random(31)], [element()])).toThrow(RangeError)
    expect(() => sum([scalar()], [random(33)])).toThrow(RangeError)
    expect(() => sum([toFactor(2n ** 253n)], [element()])).toThrow(RangeError)
    for (const factor of [0.5, Number.NaN, 2 ** 53]) expect(() => sum([factor], [element()])).toThrow(RangeError)
  })
})
