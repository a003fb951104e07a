import { describe, expect, it } from 'vitest'
import { SEED_PROFILE } from '../../../src/central/risk/risk-profile.ts'
import type { ReportId } from '../../../src/central/store/central-store.ts'
import { type Device, START, type World, type WorldInit, world } from '../world.ts'

/** Contacts of contacts do not matter here. */
const ONE_DEGREE = { degrees: 1 }

/** A reporter and three people of the same place; the report waits when the settings say so. */
async function party(init: WorldInit) {
  const w = await world({ ...init, config: { ...ONE_DEGREE, ...init.config } })
  const code = (await w.codes.issue({ count: 1, days: 9 })).codes[0]!
  const [reporter, ...guests] = [w.device(), w.device(), w.device(), w.device()] as [Device, ...Device[]]
  for (const guest of guests) await guest.sync({ rows: { [w.epoch()]: ['table'] } })
  const { report } = await reporter.sync({ rows: { [w.epoch()]: ['table'] }, code })
  await w.risk.settled()
  return { w, code, reporter, guests, report }
}
const facts = async (w: World, id: ReportId = 1) =>
  w.risk.factsOf((await w.store.reports()).find((report) => report.id === id)!)
/** The number of marks of each guest after a sync. */
const marks = async (guests: readonly Device[]) => {
  for (const guest of guests) await guest.sync()
  return guests.map(({ held }) => held.size)
}

describe('reports under review', () => {
  it('a report gives no marks before its publication, and its device sees held, then published', async () => {
    const { w, reporter, guests, report } = await party({ config: { review: true } })
    expect(report).toBe('accepted')
    expect((await reporter.sync()).report).toBe('held')
    expect(await facts(w)).toEqual({ stage: 'held', heldBy: 'review' })
    expect(w.risk.status).toMatchObject({ held: [{ report: 1, people: undefined }], reports: 0 })
    expect(await marks(guests)).toEqual([0, 0, 0])
    expect(await w.risk.dryRun(1, { ...SEED_PROFILE, ...ONE_DEGREE })).toEqual({
      degrees: [3],
      marks: 3,
      capped: false,
    })
    await w.risk.review(1, 'publish')
    expect(await marks(guests)).toEqual([1, 1, 1])
    expect((await reporter.sync()).report).toBe('published')
    expect(await facts(w)).toEqual({
      ...{ stage: 'published', people: [3], publishedAt: START },
      profile: { name: 'seed', version: 0 },
    })
  })

  it('a rejected report gives no marks, and its restoration holds it again', async () => {
    const { w, reporter, guests } = await party({ config: { review: true } })
    await w.risk.review(1, 'reject')
    expect((await reporter.sync()).report).toBe('none')
    expect(await facts(w)).toMatchObject({ stage: 'rejected' })
    await expect(w.risk.review(1, 'publish')).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
    await w.risk.review(1, 'restore')
    expect((await reporter.sync()).report).toBe('held')
    await w.risk.review(1, 'publish')
    expect(await marks(guests)).toEqual([1, 1, 1])
  })

  it('the restoration of a retracted report gives the same marks again, also after a restart', async () => {
    const { w, reporter, guests } = await party({})
    expect(await marks(guests)).toEqual([1, 1, 1])
    const before = guests.map(({ held }) => [...held.values()])
    await w.risk.review(1, 'retract')
    expect(await marks(guests)).toEqual([0, 0, 0])
    expect((await reporter.sync()).report).toBe('none')
    const again = await world({ store: w.store, clock: w.clock, manifest: w.manifest, config: ONE_DEGREE })
    await again.risk.settled()
    await again.risk.review(1, 'restore')
    await again.risk.settled()
    expect(await facts(again)).toMatchObject({ stage: 'published', people: [3] })
    await w.risk.stop()
    expect(await marks(guests)).toEqual([1, 1, 1])
    expect(guests.map(({ held }) => [...held.values()])).toEqual(before)
  })

  it('a report that its reporter withdrew cannot be restored, and a held one can be withdrawn', async () => {
    const { w, reporter } = await party({ config: { review: true } })
    expect((await reporter.sync({ withdraw: 'negative' })).report).toBe('withdrawn')
    expect(await facts(w)).toMatchObject({ stage: 'withdrawn' })
    for (const decision of ['publish', 'reject', 'retract', 'restore'] as const)
      await expect(w.risk.review(1, decision)).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
  })

  it('other dates of a published report are held, and its marks stay until they are published', async () => {
    const { w, code, reporter, guests } = await party({ config: { review: true } })
    await w.risk.review(1, 'publish')
    expect(await marks(guests)).toEqual([1, 1, 1])
    expect((await reporter.sync({ code, from: w.epoch() + 1 })).report).toBe('updated')
    expect((await reporter.sync()).report).toBe('held')
    expect(await marks(guests)).toEqual([1, 1, 1])
    await w.risk.review(1, 'publish')
    expect(await marks(guests)).toEqual([0, 0, 0])
  })

  it('the circuit breaker stops a report of too many people before the first mark, names the count, and lets an approved one pass', async () => {
    const { w, reporter, guests } = await party({ config: { breakerPeople: 2 } })
    expect(await facts(w)).toEqual({ stage: 'held', heldBy: 'breaker' })
    expect(w.risk.status.held).toEqual([{ report: 1, people: 3 }])
    expect((await reporter.sync()).report).toBe('held')
    expect(await marks(guests)).toEqual([0, 0, 0])
    // Other dates are counted anew, and a restart counts nothing again.
    const again = await world({ store: w.store, manifest: w.manifest, config: { ...ONE_DEGREE, breakerPeople: 2 } })
    await again.risk.settled()
    expect(again.risk.status.held).toEqual([{ report: 1, people: 3 }])
    await w.risk.review(1, 'publish')
    expect(await marks(guests)).toEqual([1, 1, 1])
    expect(w.risk.status.held).toEqual([])
  })

  it('the circuit breaker keeps the marks of a published report that grows too large, and gives no more', async () => {
    const { w, guests } = await party({ config: { breakerPeople: 3 } })
    expect(await marks(guests)).toEqual([1, 1, 1])
    const late = w.device()
    await late.sync({ rows: { [w.epoch()]: ['table'] } })
    expect(await marks([...guests, late])).toEqual([1, 1, 1, 0])
    expect(await facts(w)).toMatchObject({ stage: 'held', heldBy: 'breaker' })
    await w.risk.review(1, 'reject')
    expect(await marks([...guests, late])).toEqual([0, 0, 0, 0])
    await w.risk.review(1, 'restore')
    await w.risk.review(1, 'publish')
    expect(await marks([...guests, late])).toEqual([1, 1, 1, 1])
  })

  it('a code with an end of the infectious time leaves later epochs out', async () => {
    const w = await world({ config: ONE_DEGREE })
    const e = w.epoch()
    const until = (e - 1) * 4_800_000
    const code = (await w.codes.issue({ count: 1, days: 1, until })).codes[0]!
    const [reporter, guest] = [w.device(), w.device()]
    const rows = { [e - 1]: ['early'], [e]: ['late'] }
    await guest.sync({ rows })
    await reporter.sync({ rows, code })
    await guest.sync()
    expect([...guest.held.values()].map(({ epoch }) => epoch)).toEqual([e - 1])
  })
})
