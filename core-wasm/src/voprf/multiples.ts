/**
 * Sums of multiples of elements (multi-scalar multiplication), in a small Wasm module of its own. PROTOCOL.md §5.8. Its time
 * depends on the operands, so they must be public: proofs, keys and answers are, blinds and shares are not.
 * Throws RangeError for bytes that are no element, for a sum that is the identity, and for factors or counts out of range.
 */
import { assertBytes } from '../core/assert-bytes.ts'
import { compileModule } from '../core/instance.ts'
import { fromHex } from '../core/module-bytes.ts'
import { msm } from '../generated/msm.ts'

/** A scalar of 32 bytes below 2^253, or a small integer, which costs far less. */
export type Factor = Uint8Array | number
/** Σ factor · element, of 1 to 64 terms. */
export type SumOfMultiples = (factors: readonly Factor[], elements: readonly Uint8Array[]) => Uint8Array

/** The exports of the module: addresses of areas, most terms, the sum. See assembly/msm/index.ts. */
interface Exports {
  memory: WebAssembly.Memory
  TERMS: WebAssembly.Global
  FACTORS: WebAssembly.Global
  ELEMENTS: WebAssembly.Global
  SUM: WebAssembly.Global
  sum(count: number): number
}

const ELEMENT_BYTES = 32
/** The last byte of a scalar below 2^253 is below this. */
const LAST_BYTE_END = 0x20
/** The highest bit of a factor is its sign. */
const MINUS = 0x80

export async function loadMultiples(): Promise<SumOfMultiples> {
  const { exports } = await compileModule(fromHex(msm))
  const module = exports as unknown as Exports
  const view = (address: WebAssembly.Global, bytes: number): Uint8Array =>
    new Uint8Array(module.memory.buffer, address.value, bytes)
  const termsMax: number = module.TERMS.value
  const [allFactors, allElements] = [module.FACTORS, module.ELEMENTS].map((at) => view(at, termsMax * ELEMENT_BYTES))
  const result = view(module.SUM, ELEMENT_BYTES)
  return (factors, elements) => {
    if (factors.length !== elements.length || factors.length < 1 || factors.length > termsMax) {
      throw new RangeError(`expected 1 to ${termsMax} factors, one for each of ${elements.length} elements`)
    }
    factors.forEach((factor, i) => {
      assertBytes('element', elements[i]!, ELEMENT_BYTES)
      allElements!.set(elements[i]!, ELEMENT_BYTES * i)
      writeFactor(allFactors!.subarray(ELEMENT_BYTES * i, ELEMENT_BYTES * (i + 1)), factor)
    })
    if (module.sum(factors.length) === 0) {
      throw new RangeError('"sum" expected canonical elements and a result other than the identity')
    }
    return result.slice()
  }
}

function writeFactor(out: Uint8Array, factor: Factor): void {
  if (typeof factor === 'number') {
    if (!Number.isSafeInteger(factor)) throw new RangeError(`expected a safe integer as factor, got ${factor}`)
    out.fill(0)
    new DataView(out.buffer, out.byteOffset).setBigUint64(0, BigInt(Math.abs(factor)), true)
    if (factor < 0) out[ELEMENT_BYTES - 1] = MINUS
    return
  }
  assertBytes('factor', factor, ELEMENT_BYTES)
  if (factor[ELEMENT_BYTES - 1]! >= LAST_BYTE_END) throw new RangeError('expected a factor below 2^253')
  out.set(factor)
}
