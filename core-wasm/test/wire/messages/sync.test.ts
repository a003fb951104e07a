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
    lags: i % 4,
  })).sort((a, b) => wire.compareHashes(a.hash, b.hash))
const request = (groups: wire.RowGroup[] = [], report: wire.SyncKind = { kind: 'none' }): wire.SyncRequest => ({
  minute: 29_916_667,
  userSecret: random(32),
  syncId: random(16),
  report,
  generation: 3,
  cursor: 70_000,
  groups,
})
const u32 = fc.integer({ min: 0, max: 0xffffffff })
const kinds: fc.Arbitrary<wire.SyncKind> = fc.oneof(
  fc.constant<wire.SyncKind>({ kind: 'none' }),
  fc.record<wire.SyncKind & { kind: 'code' }>({
    kind: fc.constant('code'),
    code: fc.uint8Array({ minLength: 10, maxLength: 10 }),
    from: u32,
    testDay: fc.integer({ min: 0, max: 0xffff }),
  }),
  fc.record<wire.SyncKind & { kind: 'code' }>({
    kind: fc.constant('code'),
    code: fc.uint8Array({ minLength: 10, maxLength: 10 }),
    from: u32,
    testDay: fc.integer({ min: 0, max: 0xffff }),
    slip: fc.record({
      period: fc.integer({ min: 1, max: 0xffffffff }),
      bytes: fc.uint8Array({ minLength: 104, maxLength: 104 }).filter((bytes) => bytes.some((byte) => byte > 0)),
    }),
  }),
  fc.boolean().map((keepWarning): wire.SyncKind => ({ kind: 'erase', keepWarning })),
  fc.constantFrom(...wire.WITHDRAW_REASONS).map((reason): wire.SyncKind => ({ kind: 'withdraw', reason })),
)

/** The layout of PROTOCOL.md §7.2, written with a DataView and literal offsets. */
function modelFrame(
  { minute, userSecret, syncId, report, generation, cursor, groups }: wire.SyncRequest,
  size: number,
) {
  const frame = new Uint8Array(size)
  const view = new DataView(frame.buffer)
  view.setUint8(0, 2)
  view.setUint32(1, minute)
  frame.set(userSecret, 5)
  frame.set(syncId, 37)
  view.setUint8(53, { none: 0, code: 1, erase: 2, withdraw: 3 }[report.kind])
  if (report.kind === 'code') {
    frame.set(report.code, 54)
    view.setUint32(64, report.from)
    view.setUint16(68, report.testDay)
    if (report.slip !== undefined) {
      view.setUint32(85, report.slip.period)
      frame.set(report.slip.bytes, 89)
    }
  }
  if (report.kind === 'erase') view.setUint8(54, Number(report.keepWarning))
  if (report.kind === 'withdraw') view.setUint8(54, { withdrawn: 0, negative: 1, recovered: 2 }[report.reason])
  view.setUint32(193, generation)
  view.setUint32(197, cursor)
  view.setUint8(201, groups.length)
  let at = 202
  for (const { epoch, roster, rows: items } of groups) {
    view.setUint32(at, epoch)
    frame.set(roster, at + 4)
    view.setUint16(at + 12, items.length)
    at += 14
    for (const { hash, size: minutes, lags } of items) {
      frame.set(hash, at)
      view.setUint8(at + 12, lags * 8 + { 5: 0, 10: 1, 20: 2, 40: 3, 80: 4 }[minutes as 5]!)
      at += 13
    }
  }
  return frame
}

describe('a sync request', () => {
  it('a sync request with any content has the bytes of the layout and decodes from them unchanged', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 480 }), { maxLength: 4 }),
        kinds,
        u32,
        (counts, report, minute) => {
          const groups = counts.map((count, i) => ({ epoch: 100 + i, roster: random(8), rows: rows(count) }))
          const value = { ...request(groups, report), minute }
          const bytes = wire.encodeSyncRequest(value, classes)
          expect(classes).toContain(bytes.length)
          expect(Buffer.compare(bytes, modelFrame(value, bytes.length))).toBe(0)
          expect(wire.decodeSyncRequest(bytes, classes)).toEqual(value)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('a sync request has the same length with each kind of report', () => {
    const lengths = fc.sample(kinds, 40).map((kind) => {
      const groups = [{ epoch: 1, roster: random(8), rows: rows(20) }]
      return wire.encodeSyncRequest(request(groups, kind), classes).length
    })
    expect(new Set(lengths).size).toBe(1)
  })

  it('a repetition at another minute and reading position has the same content, and any other change has not', () => {
    const value = request([{ epoch: 1, roster: random(8), rows: rows(3) }])
    const frame = wire.encodeSyncRequest(value, classes)
    const content = wire.syncContent(frame)
    const later = wire.encodeSyncRequest({ ...value, minute: 7, generation: 8, cursor: 9 }, classes)
    expect(wire.syncContent(later)).toEqual(content)
    expect(wire.stampMinute(frame, 7)).toEqual(wire.encodeSyncRequest({ ...value, minute: 7 }, classes))
    expect(wire.decodeSyncRequest(frame, classes)).toEqual(value)
    for (const at of [53, 54, 84, 85, 192, 201, 202, frame.length - 1]) {
      const changed = frame.slice()
      changed[at]!++
      expect(wire.syncContent(changed)).not.toEqual(content)
    }
  })

  const good = wire.encodeSyncRequest(request([{ epoch: 1, roster: random(8), rows: rows(140) }]), classes)
  it('a sync request with a length outside the size classes, or cut, is refused', () => {
    for (const length of [0, 1, 202, 2047, 2049, 4096]) {
      const bytes = new Uint8Array(length)
      bytes.set(good.subarray(0, length))
      expect(() => wire.decodeSyncRequest(bytes, classes)).toThrow(
        expect.objectContaining({ code: 'MESSAGE_MALFORMED' }),
      )
    }
    neverThrowsAnythingElse(good, (bytes) => wire.decodeSyncRequest(bytes, [...classes, bytes.length]))
  })

  const malformed = expect.objectContaining({ code: 'MESSAGE_MALFORMED' })
  const forge = (change: (bytes: Uint8Array) => void) => {
    const copy = good.slice()
    change(copy)
    return () => wire.decodeSyncRequest(copy, classes)
  }

  it('a sync request with nonzero padding, unordered or repeated rows, 481 rows, or of another version is refused', () => {
    expect(forge((b) => void (b[b.length - 1] = 1))).toThrow(malformed)
    const at = wire.SYNC_HEAD_BYTES + wire.GROUP_HEAD_BYTES
    expect(forge((b) => b.copyWithin(at, at + 13, at + 26))).toThrow(malformed)
    expect(forge((b) => b.set(good.slice(at + 13, at + 26), at))).toThrow(malformed)
    expect(forge((b) => void (b[at + 12] = 5))).toThrow(malformed)
    expect(forge((b) => void (b[at + 12] = 32))).toThrow(malformed)
    expect(forge((b) => b.set([1, 0xe1], at - 2))).toThrow(malformed)
    for (const version of [1, 3, 9]) {
      expect(forge((b) => void (b[0] = version))).toThrow(
        expect.objectContaining({ code: 'VERSION_UNKNOWN', data: { version: 2 } }),
      )
    }
  })

  it('a sync request with an unknown kind, flag or reason, or a body beyond its kind is refused', () => {
    expect(forge((b) => void (b[53] = 4))).toThrow(malformed)
    expect(forge((b) => void (b[54] = 1))).toThrow(malformed)
    expect(forge((b) => b.set([2, 2], 53))).toThrow(malformed)
    expect(forge((b) => b.set([3, 3], 53))).toThrow(malformed)
    for (const [kind, end] of [
      [1, 70],
      [2, 55],
      [3, 55],
    ] as const) {
      expect(forge((b) => void (b[53] = kind))).not.toThrow()
      expect(forge((b) => b.set([kind], 53) ?? b.set([1], end))).toThrow(malformed)
    }
  })

  it('a slip is refused without a code, without its period, and a period without a slip', () => {
    for (const kind of [0, 1, 2, 3]) {
      const both = forge((b) => b.set([kind], 53) ?? b.set([1], 88) ?? b.set([1], 192))
      if (kind === 1) expect(both).not.toThrow()
      else expect(both).toThrow(malformed)
      for (const at of [85, 88, 89, 192]) expect(forge((b) => b.set([kind], 53) ?? b.set([1], at))).toThrow(malformed)
    }
  })

  it('a slip of another length cannot be encoded', () => {
    const slip = { period: 1, bytes: random(103) }
    const report: wire.SyncKind = { kind: 'code', code: random(10), from: 0, testDay: 0, slip }
    expect(() => wire.encodeSyncRequest(request([], report), classes)).toThrow(RangeError)
  })

  it('a sync request that fits no size class cannot be encoded', () => {
    const groups = Array.from({ length: 12 }, (_, i) => ({ epoch: i, roster: random(8), rows: rows(480) }))
    expect(() => wire.encodeSyncRequest(request(groups), classes)).toThrow(RangeError)
  })
})

describe('a sync reply', () => {
  const pin = (epoch: number): wire.Pin => ({ epoch, roster: random(32), signature: random(64) })
  const mark = (): wire.Mark => ({ epoch: 9, hash: random(12), degree: 2, weight: 31, lag: 1 })
  const full: wire.SyncReply = {
    report: 'accepted',
    time: 1_795_000_000_000,
    generation: 1,
    cursor: 12,
    left: 4,
    refused: [{ epoch: 8, reason: 'roster', roster: random(8) }],
    pins: [pin(8), pin(9)],
    marks: Array.from({ length: wire.marksPerReply(2048, 1, 2) }, mark),
  }

  it('a sync reply decodes from its bytes unchanged and always has the same size', () => {
    for (const report of wire.REPORT_STATUSES) {
      for (const reply of [full, { ...full, marks: [], refused: [], pins: [], report }]) {
        const bytes = wire.encodeSyncReply(reply, 2048)
        expect(bytes.length).toBe(2048)
        expect(wire.decodeSyncReply(bytes)).toEqual(reply)
      }
    }
    expect(() => wire.encodeSyncReply({ ...full, marks: [...full.marks, mark()] }, 2048)).toThrow(RangeError)
    expect(() => wire.encodeSyncReply({ ...full, pins: [{ ...pin(1), roster: random(31) }] }, 2048)).toThrow(RangeError)
  })

  it('a sync reply has the bytes of the layout', () => {
    const bytes = wire.encodeSyncReply({ ...full, marks: [full.marks[0]!] }, 512)
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    expect([...bytes.subarray(0, 2)]).toEqual([0, 1])
    expect(view.getBigUint64(2)).toBe(1_795_000_000_000n)
    expect([10, 14, 18].map((at) => view.getUint32(at))).toEqual([1, 12, 4])
    expect([bytes[22], view.getUint32(23), bytes[27]]).toEqual([1, 8, 0])
    expect(bytes.subarray(28, 36)).toEqual(full.refused[0]!.roster)
    expect(bytes[36]).toBe(2)
    expect(bytes.subarray(37, 237)).toEqual(
      wire.concatBytes(
        ...full.pins.flatMap(({ roster, signature }, i) => [Uint8Array.of(0, 0, 0, 8 + i), roster, signature]),
      ),
    )
    expect([view.getUint16(237), view.getUint32(239)]).toEqual([1, 9])
    expect(bytes.subarray(243, 255)).toEqual(full.marks[0]!.hash)
    expect([...bytes.subarray(255, 260)]).toEqual([2, 0, 31, 1, 0])
  })

  it('a garbled sync reply is refused', () => {
    neverThrowsAnythingElse(wire.encodeSyncReply(full, 2048), wire.decodeSyncReply)
    expect(() => wire.decodeSyncReply(Uint8Array.of(11, 0, 0, 0, 9))).toThrow(
      expect.objectContaining({ code: 'BUSY', data: { retryAfterMs: 9_000 } }),
    )
  })
})
