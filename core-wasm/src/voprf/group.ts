/**
 * The group ristretto255 and its scalars on 32-byte arrays. PROTOCOL.md §5.8. The arithmetic is libsodium's, cut at build to
 * these functions (scripts/ristretto.js); sums of many public multiples have a module of their own. Operands and results pass through one area of the module's memory, and each call
 * wipes this area and the stack that it used. Each result has a buffer of its own, which the caller can wipe.
 * Throws RangeError for bytes that are no element, for a product that is the identity, and for another length.
 */
import { assertBytes } from '../core/assert-bytes.ts'
import { compileModule } from '../core/instance.ts'
import { fromHex } from '../core/module-bytes.ts'
import { ristretto } from '../generated/ristretto.ts'
import { FederationError } from '../wire/errors.ts'
import { loadMultiples, type SumOfMultiples } from './multiples.ts'

/** G. RFC 9496 §4. */
export const GENERATOR = fromHex('e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76')

export interface Group {
  /** scalar · element. */
  multiply(scalar: Uint8Array, element: Uint8Array): Uint8Array
  /** scalar · G. */
  multiplyBase(scalar: Uint8Array): Uint8Array
  add(a: Uint8Array, b: Uint8Array): Uint8Array
  /** Σ factor · element for public operands, because its time depends on them. */
  sum: SumOfMultiples
  /** The element of 64 uniform bytes. */
  fromHash(bytes: Uint8Array): Uint8Array
  /** Whether 32 bytes are the canonical encoding of an element other than the identity. */
  isElement(bytes: Uint8Array): boolean
  scalarAdd(a: Uint8Array, b: Uint8Array): Uint8Array
  scalarSubtract(a: Uint8Array, b: Uint8Array): Uint8Array
  scalarMultiply(a: Uint8Array, b: Uint8Array): Uint8Array
  /** The inverses of all scalars by one inversion. RangeError for 0. */
  scalarInvert(scalars: readonly Uint8Array[]): Uint8Array[]
  /** 64 bytes, little-endian, modulo the order of the group. */
  scalarReduce(bytes: Uint8Array): Uint8Array
  /** SHA-512 of the concatenation, 64 bytes. */
  sha512(...parts: readonly Uint8Array[]): Uint8Array
}

type Operation = (out: number, a: number, b: number) => number | undefined

/** The exports of the module. Results are 0, or −1 for a refused operand; scalar functions that cannot fail have none. */
interface Exports {
  memory: WebAssembly.Memory
  multiply: Operation
  multiplyBase: Operation
  add: Operation
  fromHash: Operation
  isElement(element: number): number
  scalarAdd: Operation
  scalarSubtract: Operation
  scalarMultiply: Operation
  scalarInvert: Operation
  scalarReduce: Operation
  /** The message's length is an i64, passed as two words. */
  sha512(out: number, message: number, length: number, lengthHigh: number): number
}

const ELEMENT_BYTES = 32
const HASH_BYTES = 64
/** The module's stack begins here and grows downwards; the area begins here and grows upwards. */
const AREA = 107_648
/** The deepest call used 4,512 bytes (2026-11); `group.test.ts` measures it. */
const STACK_BYTES = 8_192
/** Place of a result, before the operands. */
const OUT = AREA
const IN = AREA + HASH_BYTES
/** Longest message of `sha512`: the area ends with the memory's second page. */
const MESSAGE_MAX_BYTES = 2 * 65_536 - IN

/** Compiles the modules once; all later calls are synchronous. Throws CORE_UNSUPPORTED. */
export async function loadGroup(): Promise<Group> {
  if (typeof WebAssembly === 'undefined') {
    throw new FederationError(
      'CORE_UNSUPPORTED',
      'expected a host with WebAssembly, got none: use a newer engine or allow it in the policy',
    )
  }
  const instance = await compileModule(fromHex(ristretto))
  return groupOf(instance.exports as unknown as Exports, await loadMultiples())
}

function groupOf(exports: Exports, sum: SumOfMultiples): Group {
  const memory = new Uint8Array(exports.memory.buffer)

  /** Runs one function on operands that lie one after the other, copies the result and wipes all traces. */
  const call = (length: number, run: (end: number) => number | undefined, operands: readonly Uint8Array[]) => {
    let end = IN
    for (const operand of operands) {
      memory.set(operand, end)
      end += operand.length
    }
    const status = run(end)
    const result = new Uint8Array(new ArrayBuffer(length))
    result.set(memory.subarray(OUT, OUT + length))
    memory.fill(0, AREA - STACK_BYTES, end)
    return { status, result }
  }
  const element = (what: string, operation: Operation, ...operands: Uint8Array[]): Uint8Array => {
    const { status, result } = call(ELEMENT_BYTES, () => operation(OUT, IN, IN + ELEMENT_BYTES), operands)
    if (status === 0) return result
    throw new RangeError(`"${what}" expected canonical elements and a result other than the identity`)
  }
  const scalar = (operation: Operation, ...operands: Uint8Array[]): Uint8Array =>
    call(ELEMENT_BYTES, () => operation(OUT, IN, IN + ELEMENT_BYTES), operands).result
  const multiplied = (a: Uint8Array, b: Uint8Array) => scalar(exports.scalarMultiply, checked(a), checked(b))

  return {
    multiply: (a, b) => element('multiply', exports.multiply, checked(a), checked(b)),
    multiplyBase: (a) => element('multiplyBase', exports.multiplyBase, checked(a)),
    add: (a, b) => element('add', exports.add, checked(a), checked(b)),
    sum,
    fromHash: (bytes) => element('fromHash', exports.fromHash, checked(bytes, HASH_BYTES)),
    isElement(bytes) {
      const { status } = call(0, () => exports.isElement(IN), [checked(bytes)])
      // The identity is 32 zero bytes.
      return status === 1 && bytes.some((byte) => byte !== 0)
    },
    scalarAdd: (a, b) => scalar(exports.scalarAdd, checked(a), checked(b)),
    scalarSubtract: (a, b) => scalar(exports.scalarSubtract, checked(a), checked(b)),
    scalarMultiply: multiplied,
    scalarInvert: (scalars) =>
      invertAll(scalars, multiplied, (a) => element('scalarInvert', exports.scalarInvert, checked(a))),
    scalarReduce: (bytes) => scalar(exports.scalarReduce, checked(bytes, HASH_BYTES)),
    sha512(...parts) {
      const length = parts.reduce((sum, part) => sum + part.length, 0)
      if (length > MESSAGE_MAX_BYTES) {
        throw new RangeError(`"sha512" expected at most ${MESSAGE_MAX_BYTES} bytes, got ${length}`)
      }
      return call(HASH_BYTES, () => exports.sha512(OUT, IN, length, 0), parts).result
    },
  }
}

/** Montgomery's trick: the inverse of the product, then one inverse after the other from the end. */
function invertAll(
  scalars: readonly Uint8Array[],
  multiply: (a: Uint8Array, b: Uint8Array) => Uint8Array,
  invert: (a: Uint8Array) => Uint8Array,
): Uint8Array[] {
  if (scalars.length === 0) return []
  const products = [scalars[0]!]
  for (const scalar of scalars.slice(1)) products.push(multiply(products.at(-1)!, scalar))
  const inverses = [...scalars]
  let rest = invert(products.at(-1)!)
  for (let i = scalars.length - 1; i > 0; i--) {
    inverses[i] = multiply(rest, products[i - 1]!)
    const next = multiply(rest, scalars[i]!)
    rest.fill(0)
    rest = next
  }
  inverses[0] = rest
  for (const product of products.slice(1)) product.fill(0)
  return inverses
}

function checked(bytes: Uint8Array, length = ELEMENT_BYTES): Uint8Array {
  assertBytes('operand', bytes, length)
  return bytes
}
