import { EPOCH_MS, EPOCHS_PER_DAY } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { orderToRecord } from '../../../src/central/codes/order.ts'
import { DAY_MS, START, world } from '../world.ts'

describe('batches of report codes', () => {
  it('a batch counts its codes by what became of them, and its revocation spares spent and expired ones', async () => {
    const w = await world()
    const anna = { name: 'anna' }
    const first = await w.codes.issue({ count: 4, days: 2, label: 'laboratory 3' }, anna)
    const second = await w.codes.issue({ count: 2, days: 1 })
    await w.device().sync({ code: first.codes[0]! })
    await w.codes.revoke(first.codes[1]!)
    const times = { issuedAt: START, expiresAt: START + 2 * DAY_MS }
    const counts = { open: 2, spent: 1, expired: 0, revoked: 1 }
    const known = { batch: first.batch, label: 'laboratory 3', worker: 'anna', ...times, ...counts }
    expect(await w.codes.batches.list('anna')).toEqual([known])
    expect(await w.codes.batches.list('ben')).toEqual([])
    expect(await w.codes.batches.list()).toHaveLength(2)
    expect((await w.store.reports())[0]!.batch).toBe(first.batch)

    await expect(w.codes.batches.revoke(first.batch, 'ben')).rejects.toMatchObject({ code: 'CODE_UNKNOWN' })
    await expect(w.codes.batches.revoke('0000000000')).rejects.toMatchObject({ code: 'CODE_UNKNOWN' })
    expect(await w.codes.batches.revoke(first.batch, 'anna')).toBe(2)
    expect(await w.codes.batches.revoke(first.batch)).toBe(0)
    expect((await w.device().sync({ code: first.codes[2]! })).report).toBe('code-expired')
    expect((await w.device().sync({ code: second.codes[0]! })).report).toBe('accepted')
    await w.clock.advanceTo(START + DAY_MS)
    expect(await w.codes.batches.list()).toMatchObject([
      { batch: first.batch, open: 0, spent: 1, expired: 0, revoked: 3 },
      { batch: second.batch, open: 0, spent: 1, expired: 1, revoked: 0 },
    ])
  })

  it('the status of a code names its batch, its dates and the report that spent it', async () => {
    const w = await world()
    const onset = START - (START % DAY_MS) - 3 * DAY_MS
    const order = { count: 1, days: 1, label: 'week 47', onset, testedAt: onset + DAY_MS }
    const { batch, codes } = await w.codes.issue(order, { name: 'anna' })
    const common = { batch, label: 'week 47', worker: 'anna', issuedAt: START, expiresAt: START + DAY_MS }
    const dates = { from: onset - 2 * DAY_MS, until: onset + 11 * DAY_MS, testedAt: onset + DAY_MS }
    expect(await w.codes.status(codes[0]!)).toEqual({ state: 'open', ...common, ...dates })
    await w.device().sync({ code: codes[0]!, testDay: 1 })
    expect(await w.codes.status(codes[0]!)).toEqual({ state: 'spent', report: 1, ...common, ...dates })
    // The authority knows the day of the test better than the device.
    expect(await w.store.reports()).toMatchObject([
      { from: dates.from / EPOCH_MS, until: dates.until / EPOCH_MS - 1, testDay: (onset + DAY_MS) / DAY_MS },
    ])
    await expect(w.codes.status('AAAA-AAAA-AAAA-AAAA')).rejects.toMatchObject({ code: 'CODE_UNKNOWN' })
  })

  it('a worker with a quota orders so many codes in a UTC day, over restarts and beside others', async () => {
    const w = await world()
    const anna = { name: 'anna', perDay: 5 }
    await w.codes.issue({ count: 3, days: 9 }, anna)
    await w.codes.issue({ count: 100, days: 9 }, { name: 'ben' })
    const again = await world({ store: w.store, clock: w.clock, manifest: w.manifest })
    const refused = { code: 'QUOTA_SPENT', message: '2 of 5 codes are left until midnight UTC' }
    await expect(again.codes.issue({ count: 3, days: 9 }, anna)).rejects.toMatchObject(refused)
    const orders = [1, 1, 1].map((count) => again.codes.issue({ count, days: 9 }, anna))
    expect((await Promise.allSettled(orders)).map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
    ])
    await w.clock.advanceTo(START + DAY_MS / 2)
    expect((await again.codes.issue({ count: 5, days: 9 }, anna)).codes).toHaveLength(5)
  })

  it('the dates of an order win over those that follow from the onset', () => {
    const days = { infectiousBefore: 2, infectiousAfter: 10 }
    const onset = 100 * DAY_MS + 5
    const epochs = (order: object) => {
      const { from, until } = orderToRecord({ count: 1, days: 1, ...order }, days, START)
      return [from, until]
    }
    expect(epochs({})).toEqual([undefined, undefined])
    expect(epochs({ onset })).toEqual([98 * EPOCHS_PER_DAY, 111 * EPOCHS_PER_DAY - 1])
    expect(epochs({ onset, from: 99 * DAY_MS })).toEqual([99 * EPOCHS_PER_DAY, 111 * EPOCHS_PER_DAY - 1])
    expect(epochs({ onset, until: 101 * DAY_MS })).toEqual([98 * EPOCHS_PER_DAY, 101 * EPOCHS_PER_DAY])
  })
})
