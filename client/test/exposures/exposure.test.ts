import { LAG_CURRENT, type Mark } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { timeToFixBlock } from '../../src/diary/fix-block.ts'
import type { LinkedFix } from '../../src/diary/fix-states.ts'
import { hashedFixToRows } from '../../src/diary/hashed-fix.ts'
import { marksToExposures } from '../../src/exposures/exposure.ts'
import { life, START_MS, seededBytes } from '../../src/testing/fake-federation.ts'

const MINUTE = 60_000
const CAFE = { lat: 52.52, lng: 13.405 }

/** Fixes of which all thirty hashes differ, so that each mark points to one fix. */
function links(minutes: number, untilMs = START_MS, place = CAFE): LinkedFix[] {
  return life(place, untilMs, minutes).map((fix) => ({
    fix,
    record: {
      block: timeToFixBlock(fix.at),
      rosters: [new Uint8Array(8), new Uint8Array(8)],
      hashes: seededBytes(`${fix.at}/${place.lat}`)(360),
    },
  }))
}

function mark(link: LinkedFix, size: number, lag: 0 | 1, change: Partial<Mark> = {}): Mark {
  const row = hashedFixToRows(link.record).find((item) => item.size === size && item.lags === LAG_CURRENT)!
  return { epoch: row.epoch, hash: row.hash, degree: 1, weight: 1, lag, ...change }
}

describe('an exposure', () => {
  it('an exposure spans the fixes of the smallest matching block and counts all marks', () => {
    const all = links(60)
    const marks = [...all.map((link) => mark(link, 80, 0)), mark(all[4]!, 5, 0), mark(all[5]!, 5, 0, { weight: 7 })]
    expect(marksToExposures(marks, all)).toEqual([
      {
        from: all[4]!.fix.at,
        to: all[5]!.fix.at + 5 * MINUTE,
        ...CAFE,
        matches: 14,
        same: 14,
        trail: 0,
        degree: 1,
        weight: 7,
        lagMin: { from: 0, to: 5 },
        other: { from: all[4]!.fix.at, to: all[5]!.fix.at + 5 * MINUTE },
        minutes: 60,
        layers: 1,
        certainty: 'high',
        blocks: all.map((link) => link.record.block),
        verdict: 'new',
      },
    ])
  })

  it('the smallest matching block gives the lag between the two persons', () => {
    const all = links(20)
    const [only] = marksToExposures([mark(all[0]!, 40, 1), mark(all[0]!, 20, 1)], all)
    expect(only).toMatchObject({ same: 0, trail: 2, lagMin: { from: 0, to: 40 } })
    // The other person was there in the twenty minutes before the block of this fix.
    const block = 20 * MINUTE
    const start = Math.floor(all[0]!.fix.at / block) * block
    expect(only!.other).toEqual({ from: start - block, to: start })
  })

  it('each degree has exposures of its own, and a higher degree only where no lower one was met', () => {
    const all = links(60)
    const marks = all.map((link, i) => mark(link, 5, 0, { degree: i < 4 ? 1 : 2 }))
    const extra = mark(all[0]!, 10, 0, { degree: 2 })
    const found = marksToExposures([...marks, extra], all).map(({ degree, from, minutes }) => ({
      degree,
      from,
      minutes,
    }))
    expect(found).toEqual([
      { degree: 1, from: all[0]!.fix.at, minutes: 20 },
      { degree: 2, from: all[4]!.fix.at, minutes: 40 },
    ])
  })

  it('an exposure is more certain with a shorter block, more layers and a longer time', () => {
    const all = links(20)
    const sure = (marks: Mark[]) => marksToExposures(marks, all)[0]!
    const rows = hashedFixToRows(all[0]!.record).filter((row) => row.size === 5 && row.lags === LAG_CURRENT)
    const layers = rows.map(({ epoch, hash }) => ({ epoch, hash, degree: 1, weight: 1, lag: 0 as const }))
    expect(sure(layers.slice(0, 2))).toMatchObject({ layers: 2, certainty: 'high', minutes: 5 })
    expect(sure(layers)).toMatchObject({ layers: 3, certainty: 'high' })
    expect(sure(layers.slice(0, 1))).toMatchObject({ layers: 1, certainty: 'medium' })
    expect(sure([mark(all[0]!, 5, 0), mark(all[1]!, 5, 0)])).toMatchObject({ certainty: 'high', minutes: 10 })
    expect(sure([mark(all[0]!, 5, 1), mark(all[1]!, 5, 1)])).toMatchObject({ certainty: 'medium' })
    expect(sure([mark(all[0]!, 20, 0)])).toMatchObject({ certainty: 'medium' })
    expect(sure([mark(all[0]!, 40, 0)])).toMatchObject({ certainty: 'low' })
  })

  it('fixes up to twenty minutes apart in one place are one exposure, and otherwise two', () => {
    const all = links(60)
    const at = (...indexes: number[]) =>
      marksToExposures(
        indexes.map((i) => mark(all[i]!, 10, 0)),
        all,
      )
    expect(at(0, 4).length).toBe(1)
    expect(at(0, 5).length).toBe(2)
    const elsewhere = links(5, START_MS + 5 * MINUTE, { lat: CAFE.lat + 0.01, lng: CAFE.lng })
    const both = [...all, ...elsewhere]
    expect(marksToExposures([mark(all[11]!, 10, 0), mark(elsewhere[0]!, 10, 0)], both).length).toBe(2)
  })

  it('marks of another epoch, of unknown hashes and of next blocks make no exposure', () => {
    const all = links(5)
    const good = mark(all[0]!, 5, 0)
    const next = hashedFixToRows(all[0]!.record).find((row) => row.lags !== LAG_CURRENT)!
    expect(marksToExposures([{ ...good, epoch: good.epoch + 1 }], all)).toEqual([])
    expect(marksToExposures([{ ...good, hash: new Uint8Array(12) }], all)).toEqual([])
    expect(marksToExposures([{ ...good, epoch: next.epoch, hash: next.hash }], all)).toEqual([])
    expect(marksToExposures([], all)).toEqual([])
  })
})
