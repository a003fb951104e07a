import type { CertifiedRoster, RefusedReason } from '@geotrace/core-wasm/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Outcome, toFate } from '../../src/deposit/fates.ts'
import { fixBlockToEpoch, timeToFixBlock } from '../../src/diary/fix-block.ts'
import { hashedFixToRows } from '../../src/diary/hashed-fix.ts'
import { START_MS, seededBytes } from '../../src/testing/fake-federation.ts'
import { MINUTE } from '../fixture.ts'

const block = timeToFixBlock(START_MS)
const epoch = fixBlockToEpoch(block)
const [red, blue] = [1, 2].map((byte) => new Uint8Array(32).fill(byte)) as [Uint8Array, Uint8Array]
const nameOf = (hash: Uint8Array) => hash.slice(0, 8)
const rosterOf = (hash: Uint8Array) => () => ({ hash }) as CertifiedRoster
const hashes = seededBytes('fix')(360)
/** A fix that was hashed under `red`, with its own epoch open. */
const entry = { block, rosters: [nameOf(red), nameOf(red)] as [Uint8Array, Uint8Array], hashes, open: [epoch] }
const rows = hashedFixToRows(entry).filter((row) => row.epoch === epoch)
const keys = rows.map(({ key }) => key)
const groupOf = (hash: Uint8Array) => [{ epoch, roster: nameOf(hash), rows: [] }]
const refusedAs = (reason: RefusedReason) => new Map([[epoch, { epoch, reason, roster: nameOf(blue) }]])
const pinnedTo = (...rosters: Uint8Array[]) => ({ rostersOf: () => rosters })
const AFTER = START_MS + 240 * MINUTE

const outcome = (more: Partial<Outcome> = {}): Outcome => ({
  groups: groupOf(red),
  refused: new Map(),
  deposited: new Map(),
  pins: pinnedTo(),
  rosterOf: rosterOf(red),
  nowMs: START_MS,
  provedMs: START_MS,
  ...more,
})
const open = { open: [epoch], lost: new Map(), again: false }
const lostFor = (loss: string) => ({ open: [], lost: new Map(keys.map((key) => [key, loss])), again: false })

describe('the fate of a hashed fix', () => {
  it('an epoch stays open when its group was not sent, or was refused as too new', () => {
    expect(toFate(entry, outcome({ groups: [] }))).toEqual(open)
    expect(toFate(entry, outcome({ groups: groupOf(blue), refused: refusedAs('too-old') }))).toEqual(open)
    expect(toFate(entry, outcome({ refused: refusedAs('too-new') }))).toEqual(open)
  })

  it('an epoch closes when its rows are deposited, or its group was refused permanently', () => {
    const deposited = new Map([[epoch, new Map(rows.map((row) => [row.key, { ...row, lags: 3 }]))]])
    expect(toFate(entry, outcome({ deposited }))).toEqual({ open: [], lost: new Map(), again: false })
    for (const reason of ['too-old', 'too-many-rows'] as const) {
      for (const pins of [pinnedTo(), pinnedTo(red)]) {
        expect(toFate(entry, outcome({ refused: refusedAs(reason), pins }))).toEqual(lostFor('refused'))
      }
    }
  })

  it('a fix under another roster than the pinned one is salted again while its salts are served, sent or not', () => {
    for (const groups of [groupOf(red), []]) {
      const facts = outcome({ groups, pins: pinnedTo(blue) })
      expect(toFate(entry, facts)).toMatchObject({ open: [], again: true })
      expect(toFate(entry, { ...facts, nowMs: AFTER, provedMs: AFTER })).toEqual(lostFor('roster'))
      // One clock alone loses no row.
      expect(toFate(entry, { ...facts, nowMs: AFTER })).toEqual(open)
    }
  })

  it('a refusal for the roster is not believed without a pin, nor against the pin', () => {
    for (const pins of [pinnedTo(), pinnedTo(red), pinnedTo(blue, red)]) {
      for (const nowMs of [START_MS, AFTER]) {
        const facts = outcome({ refused: refusedAs('roster'), pins, nowMs, provedMs: nowMs })
        expect(toFate(entry, facts)).toEqual(open)
      }
    }
  })

  it('a refusal before the pin salts a fix again when another roster is in force here too', () => {
    const facts = outcome({ refused: refusedAs('roster'), rosterOf: rosterOf(blue) })
    expect(toFate(entry, facts)).toMatchObject({ open: [], again: true })
    // Beyond the window the fix waits for the pin, which may still name its roster.
    expect(toFate(entry, { ...facts, nowMs: AFTER, provedMs: AFTER })).toEqual(open)
    expect(toFate(entry, { ...facts, refused: new Map() })).toEqual(open)
  })

  it('a row is never both kept and lost, and only a pin or a permanent refusal loses rows', () => {
    const hash = fc.constantFrom(red, blue)
    const reason = fc.constantFrom<RefusedReason | undefined>(
      undefined,
      'roster',
      'too-old',
      'too-new',
      'too-many-rows',
    )
    const time = fc.constantFrom(START_MS, AFTER)
    const facts = fc.record({
      pins: fc.subarray([red, blue]),
      inForce: hash,
      group: hash,
      reason,
      nowMs: time,
      provedMs: time,
    })
    fc.assert(
      fc.property(facts, ({ pins, inForce, group, reason: why, nowMs, provedMs }) => {
        const fate = toFate(
          entry,
          outcome({
            groups: groupOf(group),
            refused: why === undefined ? new Map() : refusedAs(why),
            pins: pinnedTo(...pins),
            rosterOf: rosterOf(inForce),
            nowMs,
            provedMs,
          }),
        )
        const isOpen = fate.open.length > 0
        expect([isOpen, fate.again, fate.lost.size > 0 && !fate.again].filter(Boolean)).toHaveLength(1)
        const isPermanent = why === 'too-old' || why === 'too-many-rows'
        const isMisplaced = pins.length > 0 && !pins.includes(red)
        if (!isOpen && !fate.again) expect(isMisplaced || (isPermanent && group === red)).toBe(true)
      }),
    )
  })
})
