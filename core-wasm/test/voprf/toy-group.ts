/**
 * A group without secrets for simulations: the numbers modulo the order of ristretto255 under addition, with the interface of
 * core-wasm/src/voprf/group.ts, which it replaces. It is a hundred times faster than the real group, and it refuses the same
 * encodings. Anybody can divide in it, so it hides nothing. `toy-group.test.ts` compares it with the real group.
 */
import { createHash } from 'node:crypto'
import type { Group } from '../../src/voprf/group.ts'

const L = 2n ** 252n + 27742317777372353535851937790883648493n
const WORD = (1n << 64n) - 1n
/** Any number will do. With another one than 1 an element does not equal its scalar. */
const G = 0x5f3b9c1d_27a4e68f_1b0d5c72_93e8a641n

export const GENERATOR = toBytes(G)

export const toyGroup: Group = {
  multiply: (scalar, element) => toElement('multiply', toNumber(scalar) * ofElement(element)),
  multiplyBase: (scalar) => toElement('multiplyBase', toNumber(scalar) * G),
  add: (a, b) => toElement('add', ofElement(a) + ofElement(b)),
  sum(factors, elements) {
    const terms = factors.map(
      (factor, i) => (typeof factor === 'number' ? BigInt(factor) : toNumber(factor)) * ofElement(elements[i]!),
    )
    return toElement(
      'sum',
      terms.reduce((a, b) => a + b),
    )
  },
  fromHash: (bytes) => toElement('fromHash', ofWide(bytes)),
  isElement: (bytes) => toNumber(bytes) < L && toNumber(bytes) !== 0n,
  scalarAdd: (a, b) => toBytes(mod(toNumber(a) + toNumber(b))),
  scalarSubtract: (a, b) => toBytes(mod(toNumber(a) - toNumber(b))),
  scalarMultiply: (a, b) => toBytes(mod(toNumber(a) * toNumber(b))),
  scalarInvert: (scalars) => scalars.map((scalar) => toBytes(invert(toNumber(scalar)))),
  scalarReduce: (bytes) => toBytes(mod(ofWide(bytes))),
  sha512(...parts) {
    const hash = createHash('sha512')
    for (const part of parts) hash.update(part)
    return new Uint8Array(hash.digest())
  },
}

export async function loadGroup(): Promise<Group> {
  return toyGroup
}

function ofElement(bytes: Uint8Array): bigint {
  const number = toNumber(bytes)
  if (number >= L || number === 0n) throw new RangeError('expected canonical elements')
  return number
}

function toElement(what: string, number: bigint): Uint8Array {
  const element = mod(number)
  if (element === 0n) throw new RangeError(`"${what}" expected a result other than the identity`)
  return toBytes(element)
}

function mod(number: bigint): bigint {
  const rest = number % L
  return rest < 0n ? rest + L : rest
}

/** By Euclid. */
function invert(number: bigint): bigint {
  let [a, b, x, y] = [mod(number), L, 1n, 0n]
  if (a === 0n) throw new RangeError('"scalarInvert" expected scalars other than 0')
  while (a > 1n) {
    const q = a / b
    ;[a, b, x, y] = [b, a - q * b, y, x - q * y]
  }
  return mod(x)
}

/** 32 bytes, little-endian. */
function toNumber(bytes: Uint8Array): bigint {
  if (bytes.length !== 32) throw new TypeError(`"operand" expected 32 bytes, got ${bytes.length}`)
  return ofWords(bytes, 4)
}

function ofWide(bytes: Uint8Array): bigint {
  if (bytes.length !== 64) throw new TypeError(`"operand" expected 64 bytes, got ${bytes.length}`)
  return ofWords(bytes, 8)
}

function ofWords(bytes: Uint8Array, words: number): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  let number = 0n
  for (let i = words - 1; i >= 0; i--) number = (number << 64n) | view.getBigUint64(8 * i, true)
  return number
}

function toBytes(number: bigint): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(32))
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < 4; i++) view.setBigUint64(8 * i, (number >> BigInt(64 * i)) & WORD, true)
  return bytes
}
