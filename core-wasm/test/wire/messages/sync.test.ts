import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as wire from '../../../src/wire/index.ts'
import { neverThrowsAnythingElse } from '../hostile.ts'

const classes = [2048, 8192, 32768, 65536]
const random = (n: number) => new Uint8Array(randomBytes(n))
const rows = (count: number): wire.Row[] =>
  Array.from({ length: count }, (_, i) => ({
    hash: random(12),
    size: wire.BLOCK_SIZES_MIN[i % 5]!,
    lags: 1 + (i % 3),
  })).sort((a, b) => wire.compareHashes(a.hash, b.hash))
const request = (groups: wire.RowGroup[] = [], report: wire.SyncKind = { kind: 'none' }): wire.SyncRequest => ({
  userSecret: random(32),
  syncId: random(16),
  report,
  generation: 3,
  cursor: 70_000,
  groups,
})

describe('a sync request', () => {
  it('a sync request with any content decodes from its bytes unchanged', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 480 }), { maxLength: 4 }),
        fc.constantFrom('none', 'code', 'erase'),
        (counts, kind) => {
          const groups = counts.map((count, i) => ({ epoch: 100 + i, roster: random(8), rows: rows(count) }))
          const report = kind === 'code' ? { kind, code: random(10) } : { kind: kind as 'none' }
          const value = request(groups, report)
          const bytes = wire.encodeSyncRequest(value, classes)
          expect(classes).toContain(bytes.length)
          expect(wire.decodeSyncRequest(bytes, classes)).toEqual(value)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('a sync request has the same length with and without a report', () => {
    const lengths = [
      { kind: 'none' as const },
      { kind: 'code' as const, code: random(10) },
      { kind: 'erase' as const },
    ].map(
      (kind) =>
        wire.encodeSyncRequest(request([{ epoch: 1, roster: random(8), rows: rows(20) }], kind), classes).length,
    )
    expect(new Set(lengths).size).toBe(1)
  })

  const good = wire.encodeSyncRequest(request([{ epoch: 1, roster: random(8), rows: rows(140) }]), classes)
  it('a sync request with a length outside the size classes, or cut, is refused', () => {
    for (const length of [0, 1, 90, 2047, 2049, 4096]) {
      const bytes = new Uint8Array(length)
      bytes.set(good.subarray(0, length))
      expect(() => wire.decodeSyncRequest(bytes, classes)).toThrow(
        expect.objectContaining({ code: 'MESSAGE_MALFORMED' }),
      )
    }
    neverThrowsAnythingElse(good, (bytes) => wire.decodeSyncRequest(bytes, [...classes, bytes.length]))
  })

  it('a sync request with nonzero padding, unordered or repeated rows, 481 rows, or an unknown version or kind is refused', () => {
    const malformed = expect.objectContaining({ code: 'MESSAGE_MALFORMED' })
    const forge = (change: (bytes: Uint8Array) => void) => {
      const copy = good.slice()
      change(copy)
      return () => wire.decodeSyncRequest(copy, classes)
    }
    expect(forge((b) => void (b[b.length - 1] = 1))).toThrow(malformed)
    const at = wire.SYNC_HEAD_BYTES + wire.GROUP_HEAD_BYTES
    expect(forge((b) => b.copyWithin(at, at + 13, at + 26))).toThrow(malformed)
    expect(forge((b) => b.set(good.slice(at + 13, at + 26), at))).toThrow(malformed)
    expect(forge((b) => void (b[at + 12] = 5))).toThrow(malformed)
    expect(forge((b) => void (b[at + 12] = 0))).toThrow(malformed)
    expect(forge((b) => b.set([1, 0xe1], at - 2))).toThrow(malformed)
    expect(forge((b) => void (b[0] = 9))).toThrow(expect.objectContaining({ code: 'VERSION_UNKNOWN' }))
    expect(forge((b) => void (b[49] = 3))).toThrow(malformed)
    expect(forge((b) => void (b[50] = 1))).toThrow(malformed)
  })

  it('a sync request that fits no size class cannot be encoded', () => {
    const groups = Array.from({ length: 12 }, (_, i) => ({ epoch: i, roster: random(8), rows: rows(480) }))
    expect(() => wire.encodeSyncRequest(request(groups), classes)).toThrow(RangeError)
  })
})

describe('a sync reply', () => {
  const mark = (): wire.Mark => ({ epoch: 9, hash: random(12), degree: 2, weight: 31, lag: 1 })
  const full: wire.SyncReply = {
    report: 'accepted',
    time: 1_795_000_000_000,
    generation: 1,
    cursor: 12,
    left: 4,
    refused: [{ epoch: 8, reason: 'roster', roster: random(8) }],
    marks: Array.from({ length: wire.marksPerReply(2048, 1) }, mark),
  }

  it('a sync reply decodes from its bytes unchanged and always has the same size', () => {
    for (const reply of [full, { ...full, marks: [], refused: [], report: 'none' as const }]) {
      const bytes = wire.encodeSyncReply(reply, 2048)
      expect(bytes.length).toBe(2048)
      expect(wire.decodeSyncReply(bytes)).toEqual(reply)
    }
    expect(() => wire.encodeSyncReply({ ...full, marks: [...full.marks, mark()] }, 2048)).toThrow(RangeError)
  })

  it('a garbled sync reply is refused', () => {
    neverThrowsAnythingElse(wire.encodeSyncReply(full, 2048), wire.decodeSyncReply)
    expect(() => wire.decodeSyncReply(Uint8Array.of(11, 0, 0, 0, 9))).toThrow(
      expect.objectContaining({ code: 'BUSY', data: { retryAfterMs: 9_000 } }),
    )
  })
})
