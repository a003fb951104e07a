/**
 * The module without the checks of the host: a length outside its area traps before the module writes. These traps protect
 * the areas from each other if a caller passes the checks of src/core/.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

type Call = (...args: (number | bigint)[]) => unknown

/** The smallest and the largest 32-bit value beyond a bound, and values that wrap to a small one in 32 bits. */
const HUGE = [0x7fffffff, 0x80000000, 0xffffffff, -1]

function instantiate(name: string) {
  const wasm = readFileSync(new URL(`../../build/${name}.wasm`, import.meta.url))
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm))
  const memory = exports.memory as WebAssembly.Memory
  const functions = Object.entries(exports).filter((entry): entry is [string, Call] => typeof entry[1] === 'function')
  return {
    call: Object.fromEntries(functions),
    bytes: () => new Uint8Array(memory.buffer),
    constant: (constant: string) => (exports[constant] as WebAssembly.Global).value as number,
    grow: (pages: number) => memory.grow(pages),
  }
}

describe.each(['simd', 'scalar'])('the exports of the %s build', (build) => {
  const { call, bytes, constant } = instantiate(build)
  const [fixes, points, batch, room] = ['FIXES', 'POINTS', 'BATCH', 'MESSAGES_BYTES'].map(constant) as [
    number,
    number,
    number,
    number,
  ]
  const beyond = (bound: number) => [bound + 1, ...HUGE]
  const messages = {
    good: [
      [batch, Math.floor(room / batch)],
      [1, room],
      [batch, 0],
      [0, room],
    ],
    bad: [
      ...beyond(batch).map((count) => [count, 0]),
      ...beyond(room).map((length) => [1, length]),
      [2, room / 2 + 1],
      [batch, room / batch + 1],
      // 2 to the 32 wraps to zero in 32 bits.
      [0x10000, 0x10000],
    ],
  }
  const one = (bound: number) => ({ good: [[0], [bound]], bad: beyond(bound).map((count) => [count]) })
  const lengths: Record<string, { good: number[][]; bad: number[][] }> = {
    fixesToCells: one(fixes),
    fixesToHexagons: one(fixes),
    fixesToPoints: one(fixes),
    assignSlots: one(points),
    hashPoints: {
      good: [
        [0, 0],
        [points, batch],
      ],
      bad: [...beyond(points).map((count) => [count, 0]), ...beyond(batch).map((slots) => [0, slots])],
    },
    sha256Messages: messages,
    hmacMessages: messages,
    crc32: {
      good: [
        [0, 0],
        [0, room],
      ],
      bad: beyond(room).map((length) => [0, length]),
    },
  }

  it('no export takes a length that this file does not test', () => {
    const without = ['cellToRegion', 'timeToBlock', 'wipe', 'wipeCells', 'wipeFixes']
    expect(Object.keys(call).sort()).toEqual([...Object.keys(lengths), ...without].sort())
  })

  it.each(Object.entries(lengths))(
    'the export %s takes lengths that fit and traps on other lengths before it writes',
    (name, { good, bad }) => {
      for (const args of good) expect(() => call[name]!(...args), `${name}(${args})`).not.toThrow()
      call.wipe!()
      const before = bytes().slice()
      for (const args of bad) expect(() => call[name]!(...args), `${name}(${args})`).toThrow(WebAssembly.RuntimeError)
      expect(Buffer.compare(bytes(), before)).toBe(0)
    },
  )
})

describe('the sorter', () => {
  const { call, bytes, constant, grow } = instantiate('sorter')
  const rows = constant('ROWS')
  const slack = constant('SLACK')
  const [count, width] = [1_000, 16]
  grow(1)
  const spare = rows + count * width + slack
  const end = bytes().length

  it('the sorter sorts rows that fit and traps before it writes when rows do not fit', () => {
    expect(Object.keys(call)).toEqual(['sortRows'])
    for (const good of [
      [rows, spare, count, width],
      [rows, spare, 0, 12],
      [rows, end - count * width - slack, count, width],
    ]) {
      expect(() => call.sortRows!(...good), String(good)).not.toThrow()
    }
    const before = bytes().slice()
    for (const bad of [
      [rows, spare, count, 11],
      [rows, spare, 1, 257],
      [rows - 1, spare, count, width],
      [rows, spare - 1, count, width],
      [rows, spare, count + 1, width],
      [rows, end - count * width - slack + 1, count, width],
      [spare, rows, count, width],
      ...HUGE.map((huge) => [rows, spare, huge, width]),
      // 2 to the 32 bytes wraps to zero in 32 bits.
      [rows, spare, 0x10000000, 16],
    ]) {
      expect(() => call.sortRows!(...bad), String(bad)).toThrow(WebAssembly.RuntimeError)
    }
    expect(Buffer.compare(bytes(), before)).toBe(0)
  })
})

describe('the module of sums', () => {
  const { call, bytes, constant } = instantiate('msm')

  it('the module takes as many terms as it has room for and traps before it writes when there are more', () => {
    expect(Object.keys(call)).toEqual(['sum'])
    const terms = constant('TERMS')
    expect(call.sum!(terms)).toBe(0)
    const before = bytes().slice()
    for (const bad of [terms + 1, ...HUGE]) expect(() => call.sum!(bad), String(bad)).toThrow(WebAssembly.RuntimeError)
    expect(Buffer.compare(bytes(), before)).toBe(0)
  })
})
