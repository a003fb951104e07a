import { createHash } from 'node:crypto'
import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { describe, expect, it } from 'vitest'
import { randomBytes, seeded } from '../../src/testing/index.ts'
import { type Group, loadGroup } from '../../src/voprf/index.ts'
import { REFUSED, SMALL_ORDER } from './encodings.ts'

/** The oracle: noble's ristretto255, which shares no code with libsodium. */
const { Point } = ristretto255
const { Fn } = Point
const RUNS = 40
const group = await loadGroup()
const draw = seeded(0x47540013)
const random = (length: number) => randomBytes(draw, length)
const wide = () => random(64)
const toScalar = (bytes: Uint8Array) => Fn.toBytes(Fn.create(littleEndian(bytes)))
const littleEndian = (bytes: Uint8Array) => BigInt(`0x${bytesToHex(Uint8Array.from(bytes).reverse())}`)
const point = (bytes: Uint8Array) => Point.fromBytes(bytes)
const element = () => group.fromHash(wide())

const IDENTITY = new Uint8Array(32)

describe('the group', () => {
  it('elements agree with noble: from a hash, products, sums and multiples of the generator', () => {
    for (let i = 0; i < RUNS; i++) {
      const [hash, scalar] = [wide(), toScalar(wide())]
      const [a, b] = [group.fromHash(hash), element()]
      expect(bytesToHex(a)).toBe(ristretto255_hasher.deriveToCurve!(hash).toHex())
      expect(bytesToHex(group.multiply(scalar, a))).toBe(point(a).multiply(Fn.fromBytes(scalar)).toHex())
      expect(bytesToHex(group.multiplyBase(scalar))).toBe(Point.BASE.multiply(Fn.fromBytes(scalar)).toHex())
      expect(bytesToHex(group.add(a, b))).toBe(point(a).add(point(b)).toHex())
    }
  })

  it('scalars agree with noble: sums, differences, products, inverses and reduction', () => {
    for (let i = 0; i < RUNS; i++) {
      const bytes = wide()
      const [a, b] = [toScalar(wide()), toScalar(wide())]
      const [x, y] = [Fn.fromBytes(a), Fn.fromBytes(b)]
      const value = (scalar: Uint8Array) => Fn.fromBytes(scalar)
      expect(value(group.scalarAdd(a, b))).toBe(Fn.add(x, y))
      expect(value(group.scalarSubtract(a, b))).toBe(Fn.sub(x, y))
      expect(value(group.scalarMultiply(a, b))).toBe(Fn.mul(x, y))
      expect(value(group.scalarReduce(bytes))).toBe(Fn.create(littleEndian(bytes)))
    }
    for (const count of [0, 1, 2, 7]) {
      const scalars = Array.from({ length: count }, () => toScalar(wide()))
      const before = scalars.map((scalar) => bytesToHex(scalar))
      expect(group.scalarInvert(scalars).map((scalar) => Fn.fromBytes(scalar))).toEqual(
        scalars.map((scalar) => Fn.inv(Fn.fromBytes(scalar))),
      )
      expect(scalars.map((scalar) => bytesToHex(scalar))).toEqual(before)
    }
  })

  it('SHA-512 of any parts agrees with node:crypto', () => {
    for (const lengths of [[], [0], [111], [112], [64, 64], [1, 2, 300], [9_000]]) {
      const parts = lengths.map((length) => random(length))
      const oracle = createHash('sha512').update(Buffer.concat(parts)).digest('hex')
      expect(bytesToHex(group.sha512(...parts))).toBe(oracle)
    }
    expect(() => group.sha512(new Uint8Array(24_000))).toThrow(RangeError)
  })

  it('the group refuses encodings that are not canonical, the identity and points of small order', () => {
    const good = element()
    expect(group.isElement(good)).toBe(true)
    for (const bad of [...REFUSED, ...SMALL_ORDER, IDENTITY]) {
      expect(group.isElement(bad), bytesToHex(bad)).toBe(false)
      expect(() => group.multiply(toScalar(wide()), bad)).toThrow(RangeError)
    }
    for (const bad of [...REFUSED, ...SMALL_ORDER]) {
      expect(() => group.add(bad, good)).toThrow(RangeError)
      expect(() => group.add(good, bad)).toThrow(RangeError)
    }
  })

  it('a product that is the identity, and the inverse of zero, are a RangeError', () => {
    const zero = new Uint8Array(32)
    const order = Fn.ORDER.toString(16).padStart(64, '0')
    for (const scalar of [zero, hexToBytes(order).reverse()]) {
      expect(() => group.multiply(scalar, element())).toThrow(RangeError)
      expect(() => group.multiplyBase(scalar)).toThrow(RangeError)
    }
    expect(() => group.scalarInvert([zero])).toThrow(RangeError)
    expect(() => group.scalarInvert([toScalar(wide()), zero])).toThrow(RangeError)
  })

  it('an operand of another length is a RangeError', () => {
    const [short, long] = [new Uint8Array(31), new Uint8Array(33)]
    for (const bad of [short, long]) {
      expect(() => group.multiply(bad, element())).toThrow(RangeError)
      expect(() => group.multiply(toScalar(wide()), bad)).toThrow(RangeError)
      expect(() => group.scalarAdd(bad, bad)).toThrow(RangeError)
      expect(() => group.scalarReduce(bad)).toThrow(RangeError)
      expect(() => group.fromHash(bad)).toThrow(RangeError)
    }
  })
})

describe('the memory of the group', () => {
  /** Loads a group whose memory the test sees. */
  async function visibleGroup(): Promise<{ group: Group; memory: Uint8Array }> {
    const { Instance } = WebAssembly
    let memory: Uint8Array | undefined
    WebAssembly.Instance = class extends Instance {
      constructor(module: WebAssembly.Module) {
        super(module)
        // The group is instantiated first, then the module of sums, which holds nothing secret.
        memory ??= new Uint8Array((this.exports.memory as WebAssembly.Memory).buffer)
      }
    }
    try {
      return { group: await loadGroup(), memory: memory! }
    } finally {
      WebAssembly.Instance = Instance
    }
  }

  /** Runs every function on the same secrets. */
  function useAll(own: Group, scalar: Uint8Array, hash: Uint8Array): void {
    const a = own.fromHash(hash)
    own.multiply(scalar, a)
    own.multiplyBase(scalar)
    own.add(a, own.multiplyBase(scalar))
    own.isElement(a)
    own.scalarAdd(scalar, scalar)
    own.scalarSubtract(scalar, scalar)
    own.scalarMultiply(scalar, scalar)
    own.scalarInvert([scalar, scalar])
    own.scalarReduce(hash)
    own.sha512(hash, scalar)
  }

  it('every call leaves the memory as it was before, so no scalar and no intermediate value stays', async () => {
    const { group: own, memory } = await visibleGroup()
    const before = memory.slice()
    const scalar = toScalar(wide())
    const calls: (() => void)[] = [
      () => own.multiply(scalar, element()),
      () => own.multiplyBase(scalar),
      () => own.add(element(), element()),
      () => own.fromHash(wide()),
      () => own.isElement(element()),
      () => own.scalarAdd(scalar, scalar),
      () => own.scalarSubtract(scalar, scalar),
      () => own.scalarMultiply(scalar, scalar),
      () => own.scalarInvert([scalar, scalar]),
      () => own.scalarReduce(wide()),
      () => own.sha512(wide(), random(5_000)),
      () => expect(() => own.multiply(scalar, IDENTITY)).toThrow(RangeError),
    ]
    for (const call of calls) {
      call()
      expect(Buffer.compare(memory, before)).toBe(0)
    }
  })

  it('no function uses more of the stack than each call wipes', async () => {
    const { group: own, memory } = await visibleGroup()
    // Below the wiped part of the stack lie unused stack and data: bytes that no function may change.
    const [stackEnd, wipedFrom] = [42_112, 107_648 - 8_192]
    memory.fill(0xa5, stackEnd, wipedFrom)
    for (let i = 0; i < 20; i++) useAll(own, toScalar(wide()), wide())
    expect(memory.subarray(stackEnd, wipedFrom).every((byte) => byte === 0xa5)).toBe(true)
  })

  it('each result has a buffer of its own, which the caller can wipe', () => {
    const [a, b] = [group.scalarReduce(wide()), group.scalarReduce(wide())]
    expect(a.buffer.byteLength).toBe(32)
    a.fill(0)
    expect(b.some((byte) => byte !== 0)).toBe(true)
  })
})
