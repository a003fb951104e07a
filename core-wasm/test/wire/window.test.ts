import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as wire from '../../src/wire/index.ts'

describe('the salt window', () => {
  const sizes = wire.BLOCK_SIZES_MIN
  const min = wire.MINUTE_MS
  it('the current block and the next block of every size are open', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 42 }), fc.constantFrom(...sizes), (now, size) => {
        const n = Math.floor(now / (size * min))
        expect(wire.blockToState(size, n, now)).toBe('open')
        expect(wire.blockToState(size, n + 1, now)).toBe('open')
      }),
    )
  })
  it('a block is too old exactly one window after its end and open one millisecond earlier', () => {
    for (const size of sizes) {
      const end = (1_000 + 1) * size * min
      expect(wire.blockToState(size, 1_000, end + wire.SALT_WINDOW_MS)).toBe('too-old')
      expect(wire.blockToState(size, 1_000, end + wire.SALT_WINDOW_MS - 1)).toBe('open')
    }
  })
  it('a block is open up to its size and two minutes ahead of its start and too new one millisecond before that', () => {
    for (const size of sizes) {
      const start = 1_000 * size * min
      expect(wire.blockToState(size, 1_000, start - size * min - wire.SALT_AHEAD_MS)).toBe('open')
      expect(wire.blockToState(size, 1_000, start - size * min - wire.SALT_AHEAD_MS - 1)).toBe('too-new')
    }
  })
  it('a block is open only while the secrets of its epoch exist', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1e9, max: 2 ** 42 }),
        fc.constantFrom(...sizes),
        fc.integer({ min: -60, max: 20 }),
        (now, size, d) => {
          const n = Math.floor(now / (size * min)) + d
          if (wire.blockToState(size, n, now) !== 'open') return
          const { from, to } = wire.epochToSecretSpan(wire.blockToEpoch(size, n))
          expect(now).toBeGreaterThanOrEqual(from)
          expect(now).toBeLessThan(to)
        },
      ),
      { numRuns: 2000 },
    )
  })
  it('the salt window touches at most five epochs, and three hours of fixes need at most 90 salts', () => {
    let [epochs, salts] = [0, 0]
    for (let offset = 0; offset < 80; offset++) {
      const now = (100_000 * 80 + offset) * min
      const open = new Set<number>()
      for (const size of sizes) {
        const around = Math.floor(now / (size * min))
        for (let n = around - 60; n < around + 4; n++)
          if (wire.blockToState(size, n, now) === 'open') open.add(wire.blockToEpoch(size, n))
      }
      epochs = Math.max(epochs, open.size)
      const need = new Set<string>()
      for (let at = now - 175 * min; at <= now; at += 5 * min) {
        for (const size of sizes) for (const lag of [0, 1]) need.add(`${size}/${Math.floor(at / (size * min)) + lag}`)
      }
      salts = Math.max(salts, need.size)
    }
    expect(epochs).toBeLessThanOrEqual(wire.EPOCHS_PER_ANSWER_MAX)
    expect(salts).toBeLessThanOrEqual(wire.SALTS_PER_REQUEST_MAX)
  })
})

describe('the quota of one requester and shard', () => {
  it('the quota lets a requester fetch every open salt from the first minute on', () => {
    const start = Date.UTC(2026, 10, 21)
    const open = (nowMs: number): string[] =>
      wire.BLOCK_SIZES_MIN.flatMap((size) => {
        const first = Math.floor((nowMs - wire.SALT_WINDOW_MS) / (size * wire.MINUTE_MS)) - 1
        const blocks = Array.from({ length: wire.SALT_WINDOW_MS / (size * wire.MINUTE_MS) + 6 }, (_, i) => first + i)
        const states = blocks.map((n) => wire.blockToState(size, n, nowMs))
        if (states[0] !== 'too-old' || states.at(-1) !== 'too-new') throw new Error('the range cuts off open blocks')
        return blocks.filter((_, i) => states[i] === 'open').map((n) => `${size}/${n}`)
      })
    const moments = Array.from({ length: 80 }, (_, minute) => start + minute * wire.MINUTE_MS)
    expect(Math.max(...moments.map((at) => open(at).length))).toBe(84)
    // A requester that takes every open salt for eight hours, from each minute of an epoch on.
    const refillMs = wire.SALT_WINDOW_MS / wire.SALTS_PER_REQUEST_MAX
    for (const from of moments) {
      const had = new Set<string>()
      let least = Number.POSITIVE_INFINITY
      for (let at = from; at < from + 8 * 60 * wire.MINUTE_MS; at += 5 * wire.MINUTE_MS) {
        for (const block of open(at)) had.add(block)
        least = Math.min(least, wire.SALTS_PER_REQUEST_MAX + (at - from) / refillMs - had.size)
      }
      expect(least).toBeGreaterThanOrEqual(6)
    }
  })
})

describe('an epoch', () => {
  it('an epoch holds 31 blocks, each at its own position', () => {
    const blocks = wire.epochToBlocks(20_000)
    expect(blocks).toHaveLength(wire.BLOCKS_PER_EPOCH)
    expect(blocks.map(({ size, n }) => wire.blockToPosition(size, n))).toEqual(blocks.map((_, i) => i))
    expect(blocks.every(({ size, n }) => wire.blockToEpoch(size, n) === 20_000)).toBe(true)
    expect(wire.EPOCHS_PER_DAY * wire.EPOCH_MIN).toBe(1440)
    for (const size of wire.BLOCK_SIZES_MIN) expect(wire.EPOCH_MIN % size).toBe(0)
  })
})
