import { EPOCH_MS, type RefusedReason, SYNC_PROTOCOL } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { toFate } from '../../src/deposit/acknowledge.ts'
import { fixBlockToEpoch, timeToFixBlock } from '../../src/diary/fix-block.ts'
import { hashedFixToRows } from '../../src/diary/hashed-fix.ts'
import { fakeFederation, life, openTracer, START_MS, seededBytes } from '../../src/testing/fake-federation.ts'
import { CAFE, cut, MINUTE, recordAll, uncut } from '../fixture.ts'

describe('a refused group', () => {
  it('a group under another roster than the one in force is salted again', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 30))
    federation.central.refuse = () => 'roster'
    const refused = await tracer.sync()
    expect(refused).toMatchObject({ rowsDeposited: 0, fixesAgain: 6, rowsLost: 0 })
    expect(refused.rowsRefused).toBeGreaterThan(0)
    federation.central.refuse = () => undefined
    const again = await tracer.sync()
    expect(again.fixesHashed).toBe(6)
    expect(again.rowsDeposited).toBe(refused.rowsRefused)
  })

  it('a group under another roster is lost when its fixes are beyond the salt window', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 30))
    federation.central.refuse = () => 'roster'
    cut(federation, SYNC_PROTOCOL)
    await expect(tracer.sync()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    await federation.clock.advanceTo(START_MS + 240 * MINUTE)
    uncut(federation)
    const result = await tracer.sync()
    expect(result).toMatchObject({ fixesAgain: 0, rowsDeposited: 0 })
    expect(result.rowsLost).toBe(result.rowsRefused)
    expect((await tracer.preview()).totals.rowsLost).toBe(result.rowsLost)
  })

  it('a group refused as too old is counted lost, and a group refused as too new is sent later', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, START_MS, 80, 0.001))
    const current = Math.floor(START_MS / EPOCH_MS)
    federation.central.refuse = ({ epoch }) => (epoch < current ? 'too-old' : epoch > current ? 'too-new' : undefined)
    const result = await tracer.sync()
    expect(result.rowsLost).toBeGreaterThan(0)
    expect(result.rowsRefused).toBeGreaterThan(0)
    federation.central.refuse = () => undefined
    const later = await tracer.sync()
    expect(later).toMatchObject({ rowsLost: 0, rowsRefused: 0, fixesHashed: 0 })
    expect(result.rowsDeposited + result.rowsLost + later.rowsDeposited).toBe(result.points)
  })
})

describe('the fate of a hashed fix', () => {
  const block = timeToFixBlock(START_MS)
  const epoch = fixBlockToEpoch(block)
  const roster = new Uint8Array(8).fill(1)
  const other = new Uint8Array(8).fill(2)
  const entry = {
    block,
    rosters: [roster, roster] as [Uint8Array, Uint8Array],
    hashes: seededBytes('fix')(360),
    open: [epoch],
  }
  const rows = hashedFixToRows(entry).filter((row) => row.epoch === epoch)
  const groupOf = (name: Uint8Array) => [{ epoch, roster: name, rows: [] }]
  const refusedAs = (reason: RefusedReason) => new Map([[epoch, { epoch, reason, roster }]])
  const none = { deposited: new Map(), nowMs: START_MS }

  it('an epoch stays open when its group was not sent, or was refused as too new', () => {
    const open = { open: [epoch], lost: [], again: false }
    expect(toFate(entry, { ...none, groups: [], refused: new Map() })).toEqual(open)
    expect(toFate(entry, { ...none, groups: groupOf(other), refused: refusedAs('too-old') })).toEqual(open)
    expect(toFate(entry, { ...none, groups: groupOf(roster), refused: refusedAs('too-new') })).toEqual(open)
  })

  it('an epoch closes when its rows are deposited, or its group was refused permanently', () => {
    const deposited = new Map([[epoch, new Map(rows.map((row) => [row.key, { ...row, lags: 3 }]))]])
    const closed = toFate(entry, { ...none, deposited, groups: groupOf(roster), refused: new Map() })
    expect(closed).toEqual({ open: [], lost: [], again: false })
    const lost = rows.map(({ key }) => key)
    for (const reason of ['too-old', 'too-many-rows'] as const) {
      const fate = toFate(entry, { ...none, groups: groupOf(roster), refused: refusedAs(reason) })
      expect(fate).toEqual({ open: [], lost, again: false })
    }
  })

  it('a fix under another roster is salted again while its salts are served', () => {
    const facts = { ...none, groups: groupOf(roster), refused: refusedAs('roster') }
    expect(toFate(entry, facts)).toMatchObject({ open: [], again: true })
    expect(toFate(entry, { ...facts, nowMs: START_MS + 240 * MINUTE })).toMatchObject({ open: [], again: false })
  })
})
