import { effortSpan, manifestToRoster, nextFirstEpoch } from '@geotrace/core-wasm/wire'
import { expect, it } from 'vitest'
import { DueWatch, dueEpoch, ROUND_MS, roundWaitMs } from '../../../src/membership/agreement/due.ts'
import { openRosterStore } from '../../../src/membership/roster-store.ts'
import { FOUNDED, follow, founded } from '../chain.ts'
import { memoryRecords } from './council-world.ts'

const { manifest, first } = founded({ shards: 2, periodEpochs: 3, reserveEpochs: 60 })
const founding = manifestToRoster(manifest)
const due = nextFirstEpoch(first.roster, FOUNDED)
const { from, makeDoFrom, to } = effortSpan(3, due)

it('the founding roster is due until it is certified, then each roster from the beginning of its effort', () => {
  expect(dueEpoch(founding, undefined, FOUNDED)).toBe(founding.firstEpoch)
  expect(dueEpoch(founding, first.roster, from - 1)).not.toBe(due)
  expect(dueEpoch(founding, first.roster, from)).toBe(due)
  expect(dueEpoch(founding, first.roster, to - 1)).toBe(due)
  expect(dueEpoch(founding, first.roster, to)).not.toBe(due)
})

it('rounds follow fast while a roster is due, and a quiet peer wakes up for the effort', () => {
  // The effort of a long period begins long after the effort before has ended.
  const long = founded({ shards: 2, periodEpochs: 18, reserveEpochs: 60 }).first.roster
  const effort = effortSpan(18, nextFirstEpoch(long, FOUNDED))
  expect(roundWaitMs(undefined, FOUNDED)).toBe(ROUND_MS)
  expect(roundWaitMs(long, effort.from)).toBe(ROUND_MS)
  expect(roundWaitMs(long, effort.from - 20_000)).toBe(20_000)
  expect(roundWaitMs(long, effort.from - 500)).toBe(ROUND_MS)
  expect(roundWaitMs(long, effort.from - 10 * 60_000)).toBe(60_000)
})

it('a due roster is one object while nothing changed, and makes do after a minute in the last quarter only', async () => {
  let nowMs = from
  const rosters = await openRosterStore(manifest, memoryRecords())
  const watch = new DueWatch(founding, rosters, { now: () => nowMs })
  expect(watch.current()).toMatchObject({ height: 0, roster: founding })
  await rosters.add(first)
  const now = watch.current()!
  expect(now).toMatchObject({ height: 1, firstEpoch: due })
  expect(watch.current()).toBe(now)
  expect(watch.triedMs(now)).toBe(0)
  nowMs = makeDoFrom - 1
  expect([watch.triedMs(now), watch.isShort(now)]).toEqual([makeDoFrom - 1 - from, false])
  nowMs = makeDoFrom
  expect(watch.isShort(now)).toBe(true)
  const late = new DueWatch(founding, rosters, { now: () => nowMs })
  expect(late.isShort(late.current()!)).toBe(false)
  nowMs += 60_000
  expect(late.isShort(late.current()!)).toBe(true)
  await rosters.add(follow(first))
  expect(watch.current()).not.toBe(now)
})
