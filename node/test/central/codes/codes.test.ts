import { parseReportCode } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { CODES_PER_ISSUE_MAX } from '../../../src/central/codes/order.ts'
import { DAY_MS, START, world } from '../world.ts'

describe('report codes', () => {
  it('ten thousand codes of one order are all different, and the store has only their hashes', async () => {
    const w = await world()
    const { codes } = await w.codes.issue({ count: CODES_PER_ISSUE_MAX, days: 1 })
    expect(new Set(codes).size).toBe(CODES_PER_ISSUE_MAX)
    expect(await w.codes.counts()).toEqual({ open: CODES_PER_ISSUE_MAX, spent: 0, expired: 0, revoked: 0 })
    const given = Buffer.from(parseReportCode(codes[0]!))
    for await (const { hash } of w.store.codes()) expect(Buffer.from(hash).includes(given)).toBe(false)
  })

  it('an order of codes out of bounds is refused with COMMAND_INVALID', async () => {
    const w = await world()
    for (const order of [
      { count: 0, days: 1 },
      { count: CODES_PER_ISSUE_MAX + 1, days: 1 },
      { count: 1.5, days: 1 },
      { count: 1, days: 0 },
      { count: 1, days: 1, from: START + 1 },
      { count: 1, days: 1, from: -1 },
      { count: 1, days: 1, until: START - 1, from: START },
      { count: 1, days: 1, onset: START + 1 },
      { count: 1, days: 1, testedAt: 1.5 },
      { count: 1, days: 1, label: '=SUM(A1)' },
      { count: 1, days: 1, label: 'x'.repeat(41) },
    ]) {
      await expect(w.codes.issue(order)).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
    }
  })

  it('a code authorises one report, and a bad code gets the status that names its fault', async () => {
    const w = await world()
    const [good, spent, revoked, expired] = (await w.codes.issue({ count: 4, days: 1 })).codes
    await w.device().sync({ code: spent! })
    await w.codes.revoke(revoked!)
    const device = w.device()
    expect((await device.sync({ code: 'AAAA-AAAA-AAAA-AAAA' })).report).toBe('code-unknown')
    expect((await device.sync({ code: spent! })).report).toBe('code-spent')
    expect((await device.sync({ code: revoked! })).report).toBe('code-expired')
    expect((await device.sync({ code: good! })).report).toBe('accepted')
    expect((await device.again()).report).toBe('accepted')
    expect((await device.sync({ code: good! })).report).toBe('updated')
    await w.clock.advanceTo(START + DAY_MS)
    expect((await device.sync({ code: expired! })).report).toBe('code-expired')
    expect(await w.codes.counts()).toEqual({ open: 0, spent: 2, expired: 1, revoked: 1 })
    expect(await w.store.reports()).toHaveLength(2)
    await expect(w.codes.revoke(spent!)).rejects.toMatchObject({ code: 'CODE_SPENT' })
    await expect(w.codes.revoke(expired!)).rejects.toMatchObject({ code: 'CODE_EXPIRED' })
    await expect(w.codes.revoke('AAAA-AAAA-AAAA-AAAA')).rejects.toMatchObject({ code: 'CODE_UNKNOWN' })
  })

  it('a code is valid until one millisecond before it expires', async () => {
    const w = await world()
    const [a, b] = (await w.codes.issue({ count: 2, days: 1 })).codes
    await w.clock.advanceTo(START + DAY_MS - 1)
    expect((await w.device().sync({ code: a! })).report).toBe('accepted')
    await w.clock.advanceTo(START + DAY_MS)
    expect((await w.device().sync({ code: b! })).report).toBe('code-expired')
  })

  it('a user may present ten codes a day, and a repeated sync or a sync without a code does not count', async () => {
    const w = await world()
    const [code] = (await w.codes.issue({ count: 1, days: 5 })).codes
    const device = w.device()
    for (let i = 0; i < 10; i++) {
      expect((await device.sync({ code: 'AAAA-AAAA-AAAA-AAAA' })).report).toBe('code-unknown')
      expect((await device.again()).report).toBe('code-unknown')
      await device.sync({ rows: { [w.epoch()]: [i] } })
    }
    expect((await device.sync({ code: code!, rows: { [w.epoch()]: ['kept'] } })).report).toBe('too-many-attempts')
    expect((await w.device().sync({ code: 'AAAA-AAAA-AAAA-AAAA' })).report).toBe('code-unknown')
    await w.clock.advanceTo(START + DAY_MS / 2)
    expect((await device.sync({ code: code! })).report).toBe('accepted')
  })

  it('a report counts rows from the epoch of its code, or from the start of retention', async () => {
    const w = await world()
    const e = w.epoch()
    const [whole, dated] = [
      ...(await w.codes.issue({ count: 1, days: 1 })).codes,
      ...(await w.codes.issue({ count: 1, days: 1, from: START - 3 * 60 * 60_000 })).codes,
    ]
    const [a, b, contact] = [w.device(), w.device(), w.device()]
    await contact.sync({ rows: { [e - 20]: ['a', 'b'], [e]: ['b now'] } })
    await a.sync({ rows: { [e - 20]: ['a'] }, code: whole! })
    await b.sync({ rows: { [e - 20]: ['b'], [e]: ['b now'] }, code: dated! })
    await contact.readAll()
    expect([...contact.held.values()].map(({ epoch }) => epoch - e).sort((x, y) => x - y)).toEqual([-20, 0])
  })
})
