/** Which slips the central peer keeps beside reports, and when it deletes them. PROTOCOL.md §9.8. */
import { beforeEach, describe, expect, it } from 'vitest'
import { DAY_MS, type Device, demoManifest, START, type World, world } from '../world.ts'

const PERIOD = Math.floor(START / DAY_MS)
const spread = { areas: [7], resolution: 5, periodDays: 1, minimum: 20, epsilon: 1_000 }
const slip = (n: number, period = PERIOD) => ({ period, bytes: new Uint8Array(104).fill(n) })

describe('the slip of a report', () => {
  let w: World
  beforeEach(async () => {
    w = await world({ manifest: demoManifest({ spread }) })
  })
  const newCode = async () => (await w.codes.issue({ count: 1 })).codes[0]!
  const kept = async (period = PERIOD) => (await w.store.takeSlips(period)).map(({ bytes }) => bytes[0])
  async function reporter(n: number): Promise<Device> {
    const device = w.device()
    expect((await device.sync({ code: await newCode(), slip: slip(n) })).report).toBe('accepted')
    return device
  }

  it('a slip is kept with an accepted report, and a repeated sync keeps no second one', async () => {
    const device = await reporter(1)
    await device.again()
    expect(await kept()).toEqual([1])
    const [report] = await w.store.reports()
    expect((await w.store.takeSlips(PERIOD))[0]!.report).toBe(report!.id)
  })

  it('a report without a slip leaves none, and the slip beside a code that is refused is not kept', async () => {
    await w.device().sync({ code: await newCode() })
    const code = await newCode()
    await w.device().sync({ code })
    for (const [refused, status] of [
      ['0000-0000-0000-0000', 'code-unknown'],
      [code, 'code-spent'],
    ] as const)
      expect((await w.device().sync({ code: refused, slip: slip(1) })).report).toBe(status)
    expect(await w.store.slipPeriods()).toEqual([])
  })

  it('the slip of an update is left out, because its report has voted', async () => {
    const device = w.device()
    const code = await newCode()
    await device.sync({ code, slip: slip(1) })
    expect((await device.sync({ code, testDay: PERIOD, slip: slip(2) })).report).toBe('updated')
    expect(await kept()).toEqual([1])
    w.clock.jumpTo((PERIOD + 1) * DAY_MS)
    expect((await device.sync({ code, testDay: 0, slip: slip(3, PERIOD + 1) })).report).toBe('updated')
    expect(await w.store.slipPeriods()).toEqual([PERIOD])
  })

  it('a slip of a period that is over, has not begun or is none is left out, and the report is taken', async () => {
    for (const period of [PERIOD - 1, PERIOD + 1, 1])
      expect((await w.device().sync({ code: await newCode(), slip: slip(1, period) })).report).toBe('accepted')
    w.clock.jumpTo((PERIOD + 1) * DAY_MS - 1)
    await w.device().sync({ code: await newCode(), slip: slip(2) })
    w.clock.jumpTo((PERIOD + 1) * DAY_MS)
    await w.device().sync({ code: await newCode(), slip: slip(3) })
    expect(await w.store.slipPeriods()).toEqual([PERIOD])
    expect(await kept()).toEqual([2])
  })

  it('a federation without a spread keeps no slip', async () => {
    w = await world()
    expect((await w.device().sync({ code: await newCode(), slip: slip(1) })).report).toBe('accepted')
    expect(await w.store.slipPeriods()).toEqual([])
  })

  it('a withdrawal because of an error or a negative test deletes the slip, and a recovery does not', async () => {
    const [wrong, negative, recovered] = [await reporter(1), await reporter(2), await reporter(3)]
    expect((await wrong.sync({ withdraw: 'withdrawn' })).report).toBe('withdrawn')
    expect(await kept()).toEqual([2, 3])
    await negative.sync({ withdraw: 'negative' })
    await recovered.sync({ withdraw: 'recovered' })
    expect(await kept()).toEqual([3])
    // The report counts no more, but the slip is still there to be taken back.
    expect((await recovered.sync({ withdraw: 'negative' })).report).toBe('none')
    expect(await kept()).toEqual([])
  })

  it('an erasure deletes the slip, also when the warning of others stays', async () => {
    const [one, two] = [await reporter(1), await reporter(2)]
    await one.sync({ erase: 'with-warning' })
    expect(await kept()).toEqual([2])
    expect((await w.store.reports()).map(({ state }) => state)).toEqual(['active', 'active'])
    await two.sync({ erase: 'all' })
    expect(await w.store.slipPeriods()).toEqual([])
  })
})
