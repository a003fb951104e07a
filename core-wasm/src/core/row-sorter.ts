/**
 * Sorts rows, each a risk hash with its data, in a small Wasm module of its own. Its memory is twice the size of the rows:
 * it grows to the largest sort, or to the reserved size, and stays that large. Throws TypeError, RangeError.
 */

import { sorter } from '../generated/sorter.ts'
import { assertBytes } from './assert-bytes.ts'
import { fromHex } from './module-bytes.ts'

interface RowSorter {
  /** Allocates memory for this many bytes of rows, so that a later sort allocates only its result. */
  reserve(bytes: number): void
  sort(rows: Uint8Array, width: number): Uint8Array
}

/** The exports of the module: the first address of rows, bounds, the sort. See assembly/sorter.ts. */
interface Exports {
  memory: WebAssembly.Memory
  ROWS: WebAssembly.Global
  SLACK: WebAssembly.Global
  WIDTH_MIN: WebAssembly.Global
  WIDTH_MAX: WebAssembly.Global
  sortRows(rows: number, spare: number, count: number, width: number): void
}

const PAGE_BYTES = 65_536
const ALIGNMENT = 64
/** Twice this size and one page are well below the 4 GiB of a Wasm memory. */
const BYTES_MAX = 2 ** 30

export function rowSorter(): RowSorter {
  let module: Exports | undefined
  const load = () => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(fromHex(sorter)))
    module = exports as unknown as Exports
    return module
  }

  /** The addresses of the rows and of the spare buffer. */
  function layOut(exports: Exports, bytes: number): { rows: number; spare: number } {
    const room = aligned(bytes + exports.SLACK.value)
    const rows = aligned(exports.ROWS.value)
    const missing = rows + 2 * room - exports.memory.buffer.byteLength
    if (missing > 0) exports.memory.grow(Math.ceil(missing / PAGE_BYTES))
    return { rows, spare: rows + room }
  }

  return {
    reserve(bytes) {
      if (!Number.isSafeInteger(bytes) || bytes < 0 || bytes > BYTES_MAX) {
        throw new RangeError(`"sortBytes" expected 0..${BYTES_MAX}, got ${bytes}`)
      }
      layOut(module ?? load(), bytes)
    },
    sort(rows, width) {
      const exports = module ?? load()
      assertRows(rows, width, exports)
      const at = layOut(exports, rows.length)
      const memory = new Uint8Array(exports.memory.buffer)
      memory.set(rows, at.rows)
      exports.sortRows(at.rows, at.spare, rows.length / width, width)
      return memory.slice(at.rows, at.rows + rows.length)
    },
  }
}

function assertRows(rows: Uint8Array, width: number, { WIDTH_MIN, WIDTH_MAX }: Exports): void {
  assertBytes('rows', rows)
  if (!Number.isInteger(width) || width < WIDTH_MIN.value || width > WIDTH_MAX.value) {
    throw new RangeError(`"width" expected ${WIDTH_MIN.value}..${WIDTH_MAX.value} bytes, got ${width}`)
  }
  if (rows.length % width !== 0) {
    throw new RangeError(`"rows" expected a multiple of ${width} bytes, got ${rows.length}`)
  }
  if (rows.length > BYTES_MAX) throw new RangeError(`"rows" expected at most ${BYTES_MAX} bytes, got ${rows.length}`)
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
}
