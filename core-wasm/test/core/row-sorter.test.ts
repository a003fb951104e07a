import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { loadCore } from '../../src/index.ts'
import { randomBytes, seeded } from '../../src/testing/index.ts'

const KEY_BYTES = 12
const core = await loadCore()

/** The stable sort of JavaScript, on the keys as texts. */
function sorted(rows: Uint8Array, width: number): Uint8Array {
  const texts = Array.from({ length: rows.length / width }, (_, i) =>
    Buffer.from(rows.subarray(i * width, (i + 1) * width)).toString('latin1'),
  )
  const key = (row: string) => row.slice(0, KEY_BYTES)
  texts.sort((x, y) => (key(x) < key(y) ? -1 : key(x) > key(y) ? 1 : 0))
  return Uint8Array.from(Buffer.from(texts.join(''), 'latin1'))
}

/** Rows whose keys differ only in the bytes `from` … `to`, in `values` ways each. The rest of a row is its number. */
function rowsOf(count: number, width: number, seed: number, from = 0, to = KEY_BYTES, values = 256): Uint8Array {
  const random = seeded(seed)
  const rows = new Uint8Array(count * width)
  for (let i = 0; i < count; i++) {
    for (let at = from; at < to; at++) rows[i * width + at] = Math.floor(random() * values)
    for (let at = KEY_BYTES; at < width; at++) rows[i * width + at] = i >> (8 * ((at - KEY_BYTES) % 3))
  }
  return rows
}

function expectSorted(rows: Uint8Array, width: number): void {
  const given = rows.slice()
  expect(Buffer.compare(core.sortRows(rows, width), sorted(given, width))).toBe(0)
  expect(Buffer.compare(rows, given)).toBe(0)
}

describe('sorting rows', () => {
  // Chrome before 115 compiles at most 4 KiB synchronously on a page's main thread.
  it('the sorter is a module without imports of at most 4 KiB', () => {
    const wasm = readFileSync(new URL('../../build/sorter.wasm', import.meta.url))
    expect(WebAssembly.Module.imports(new WebAssembly.Module(wasm))).toEqual([])
    expect(wasm.length).toBeLessThanOrEqual(4096)
  })

  it('the sorter equals the stable sort of JavaScript for any width, any number of rows and any likeness of keys', () => {
    const shape = fc.record({
      width: fc.integer({ min: KEY_BYTES, max: 40 }),
      count: fc.nat(700),
      seed: fc.nat(),
      from: fc.nat(KEY_BYTES),
      values: fc.constantFrom(1, 2, 7, 256),
    })
    fc.assert(
      fc.property(shape, ({ width, count, seed, from, values }) => {
        expectSorted(rowsOf(count, width, seed, from, KEY_BYTES, values), width)
      }),
      { numRuns: 400 },
    )
  })

  it('the sorter accepts rows of 12 to 256 bytes and refuses other widths', () => {
    for (const width of [12, 13, 15, 16, 17, 23, 24, 25, 32, 255, 256]) expectSorted(rowsOf(300, width, width), width)
  })

  it('the sorter sorts the rows of an epoch: uniform, ascending, descending and all equal', () => {
    const uniform = rowsOf(300_000, 16, 1)
    expectSorted(uniform, 16)
    const ascending = core.sortRows(uniform, 16)
    expectSorted(ascending, 16)
    const descending = new Uint8Array(ascending.length)
    for (let i = 0; i < ascending.length; i += 16) {
      descending.set(ascending.subarray(ascending.length - 16 - i, ascending.length - i), i)
    }
    expectSorted(descending, 16)
    expectSorted(rowsOf(300_000, 16, 2, 0, 0), 16)
  })

  it('the sorter sorts keys that differ in one byte only and keys with few distinct values', () => {
    for (let byte = 0; byte < KEY_BYTES; byte++) expectSorted(rowsOf(20_000, 15, byte, byte, byte + 1), 15)
    expectSorted(rowsOf(50_000, 15, 3, 0, KEY_BYTES, 2), 15)
    // Half of all rows are in one bucket at every level.
    const skewed = rowsOf(50_000, 15, 4)
    for (let i = 0; i < skewed.length; i += 30) skewed.fill(0xff, i, i + KEY_BYTES - 1)
    expectSorted(skewed, 15)
  })

  it('the sorter allocates memory once, for the reserved size or for the largest sort so far', async () => {
    const grow = vi.spyOn(WebAssembly.Memory.prototype, 'grow')
    const width = 16
    const many = rowsOf(50_000, width, 5)
    const reserved = await loadCore({ sortBytes: many.length })
    expect(grow).toHaveBeenCalledTimes(1)
    for (const count of [50_000, 3, 49_999, 50_000]) reserved.sortRows(many.subarray(0, count * width), width)
    expect(grow).toHaveBeenCalledTimes(1)
    const lazy = await loadCore()
    expect(grow).toHaveBeenCalledTimes(1)
    for (const count of [50_000, 3, 49_999, 50_000]) lazy.sortRows(many.subarray(0, count * width), width)
    expect(grow).toHaveBeenCalledTimes(2)
    grow.mockRestore()
  })

  it('the sorter refuses to reserve a value that is no number of bytes, or more than 1 GiB', async () => {
    for (const sortBytes of [-1, 0.5, Number.NaN, 2 ** 30 + 1]) {
      await expect(loadCore({ sortBytes })).rejects.toThrow(RangeError)
    }
  })

  it('the sorter reads rows from the middle of an array', () => {
    const rows = randomBytes(seeded(6), 12 * 40)
    const part = rows.subarray(12, 12 * 39)
    expect(Buffer.compare(core.sortRows(part, 12), sorted(part, 12))).toBe(0)
  })
})
