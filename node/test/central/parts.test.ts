import { oneAtATime, simulatedClock } from '@geotrace/core-wasm'
import { REFUSED_REASONS, REPORT_STATUSES, type RefusedGroup } from '@geotrace/core-wasm/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toCentralConfig } from '../../src/central/config.ts'
import { retention, retentionToDay, retentionToEpoch } from '../../src/central/retention.ts'
import { SEED_PROFILE } from '../../src/central/risk/risk-profile.ts'
import { sourceIndex } from '../../src/central/risk/source-index.ts'
import { timeToDay } from '../../src/central/store/day.ts'
import { memoryStore } from '../../src/central/store/memory-store.ts'
import { hashToKey } from '../../src/central/store/row-set.ts'
import { rosterPins } from '../../src/central/sync/pins.ts'
import { decodeBasis, encodeBasis } from '../../src/central/sync/reply-basis.ts'
import { silent } from '../../src/platform/log.ts'
import { deposit, group, hash, row } from './store/sample.ts'
import { certifiedRoster, DAY_MS, demoManifest, START } from './world.ts'

describe('the settings of a central peer', () => {
  const manifest = demoManifest()
  it('have defaults, and the profile follows them', () => {
    const config = toCentralConfig({ degrees: 3 }, manifest)
    expect(config).toMatchObject({ degrees: 3, reportDays: 14, attemptsPerDay: 10, latencyEpochs: 0 })
    expect(config.profile).toEqual({ ...SEED_PROFILE, degrees: 3 })
  })
  it('refuse unknown keys and numbers out of bounds with COMMAND_INVALID', () => {
    for (const bad of [
      { degrees: 0 },
      { degrees: 6 },
      { latencyEpochs: 1.5 },
      { inFlight: 0 },
      { colour: 1 },
      { profile: { ...SEED_PROFILE, same: 0 } },
    ]) {
      expect(() => toCentralConfig(bad as object, manifest)).toThrow(
        expect.objectContaining({ code: 'COMMAND_INVALID' }),
      )
    }
  })
})

describe('the basis of a reply', () => {
  it('reads back as it was written', () => {
    const anyRefused: fc.Arbitrary<RefusedGroup> = fc.record({
      epoch: fc.nat(),
      reason: fc.constantFrom(...REFUSED_REASONS),
      roster: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Uint8Array.from(bytes)),
    })
    fc.assert(
      fc.property(fc.constantFrom(...REPORT_STATUSES), fc.array(anyRefused, { maxLength: 48 }), (report, refused) => {
        expect(decodeBasis(encodeBasis({ report, refused }))).toEqual({ report, refused })
      }),
    )
  })
})

describe('pins', () => {
  it('cover a period each, never overlap, and outlive the process', async () => {
    const store = memoryStore()
    const manifest = demoManifest()
    const [first, second] = [certifiedRoster(manifest), certifiedRoster(manifest, { height: 1, firstEpoch: 24_700 })]
    const begin = first.roster.firstEpoch
    const later = certifiedRoster(manifest, { height: 1, firstEpoch: begin + 30 })
    const certified = [first]
    const rosters = {
      get newest() {
        return certified.at(-1)
      },
      inForce: (epoch: number) => certified.filter(({ roster }) => roster.firstEpoch <= epoch).at(-1),
    }
    const pins = await rosterPins(store, rosters)
    expect(await pins.pin(begin - 1)).toBeUndefined()
    expect(pins.name(begin - 1)).toEqual(new Uint8Array(8))
    // Periods are multiples of 18 epochs; the founding roster begins in the middle of one.
    expect(begin % 18).toBe(6)
    await Promise.all([pins.pin(begin + 20), pins.pin(begin + 25), pins.pin(begin), pins.pin(begin + 35)])
    certified.push(later)
    // A period that is pinned stays so, though a later roster came for it: that one begins where the pin ends.
    expect(await pins.pin(begin + 31)).toEqual(first.hash.slice(0, 8))
    expect(await pins.pin(begin + 50)).toEqual(later.hash.slice(0, 8))
    expect((await store.pins()).map(({ firstEpoch, epochs }) => [firstEpoch - begin, epochs])).toEqual([
      [0, 12],
      [12, 18],
      [30, 18],
      [48, 18],
    ])
    certified.splice(0, 2, second)
    const again = await rosterPins(store, rosters)
    expect(again.name(begin + 20)).toEqual(first.hash.slice(0, 8))
  })
})

describe('the index of sources', () => {
  it('knows whom a sync concerns: sources themselves, and who holds a source’s hash as current', () => {
    const index = sourceIndex()
    const watch = index.watch(1)
    watch.sources([7])
    watch.hashes([hashToKey(hash(1))])
    expect(index.concerned(7, [group(3, row(9))])).toEqual([1])
    expect(index.concerned(7, [])).toEqual([])
    expect(index.concerned(8, [group(3, row(9))])).toEqual([])
    expect(index.concerned(8, [group(3, row(1))])).toEqual([1])
    expect(index.concerned(8, [group(3, row(1, 2))])).toEqual([])
    index.remove(1)
    expect(index.concerned(8, [group(3, row(1))])).toEqual([])
    watch.hashes([hashToKey(hash(2))])
    expect(index.size).toBe(0)
  })
  it('takes every sync for concerned when it is full', () => {
    const index = sourceIndex(1)
    index.watch(1).hashes([hashToKey(hash(1)), hashToKey(hash(2))])
    index.watch(2).hashes([hashToKey(hash(3))])
    expect(index.size).toBe(1)
    expect(index.concerned(8, [group(3, row(9))])).toEqual([1, 2])
    expect(index.concerned(8, [group(3, row(9, 2))])).toEqual([])
  })
})

describe('retention', () => {
  it('keeps today and as many whole days before it', () => {
    expect(retentionToDay(START, 14)).toBe(timeToDay(START) - 14)
    expect(retentionToEpoch(START, 14)).toBe((timeToDay(START) - 14) * 18)
    expect(retentionToEpoch(1, 14)).toBe(0)
  })
  it('sweeps at the start and after every midnight, and tries again after a failure', async () => {
    const store = memoryStore()
    const clock = simulatedClock(START)
    const today = timeToDay(START)
    for (const day of [today - 30, today - 14, today - 13, today - 12, today]) {
      await store.deposit(deposit(1, day, [group(day * 18, row(day))]))
    }
    const days = async () => (await store.statistics()).days.map(({ day }) => day - today)
    let broken = false
    const failing = {
      ...store,
      dropBefore: (day: number) => (broken ? Promise.reject(new Error('disk full')) : store.dropBefore(day)),
    }
    const sweeping = retention({ store: failing, clock, retentionDays: 14, exclusive: oneAtATime(), log: silent })
    await sweeping.start()
    expect(await days()).toEqual([-14, -13, -12, 0])
    await clock.advanceTo(START + DAY_MS / 2)
    expect(await days()).toEqual([-13, -12, 0])
    broken = true
    await clock.advanceTo(START + 1.5 * DAY_MS)
    expect(await days()).toEqual([-13, -12, 0])
    broken = false
    await clock.advanceTo(START + 1.5 * DAY_MS + 10 * 60_000)
    expect(await days()).toEqual([-12, 0])
    sweeping.stop()
    await clock.advanceTo(START + 40 * DAY_MS)
    expect(await days()).toEqual([-12, 0])
  })
})
