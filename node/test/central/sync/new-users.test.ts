import { simulatedClock } from '@geotrace/core-wasm'
import { describe, expect, it } from 'vitest'
import { NEW_USER_TABLE_MAX, newUserBounds } from '../../../src/central/sync/new-users.ts'
import { DAY_MS, START, world } from '../world.ts'

const from = (prefix: string | undefined, fence: string | undefined = '6:fd99:0:0') => ({
  ...{ key: undefined, subnet: prefix, ip: undefined },
  prefix,
  fence,
})
const refused = (retryAfterMs: number) => expect.objectContaining({ code: 'QUOTA_SPENT', data: { retryAfterMs } })

describe('the limits of new users', () => {
  it('a prefix and its fence each admit only so many new users until the UTC day ends', async () => {
    const clock = simulatedClock(START)
    const users = newUserBounds({ clock, perPrefix: 2, perFence: 3 })
    users.admit(from('a'))
    users.admit(from('a'))
    expect(() => users.admit(from('a'))).toThrow(refused(DAY_MS / 2))
    users.admit(from('b'))
    expect(() => users.admit(from('c'))).toThrow(refused(DAY_MS / 2))
    users.admit(from('c', 'another fence'))
    await clock.advanceTo(START + DAY_MS / 2)
    users.admit(from('a'))
  })

  it('all requesters without an address count together', () => {
    const users = newUserBounds({ clock: simulatedClock(START), perPrefix: 1, perFence: 9 })
    users.admit(from(undefined, undefined))
    expect(() => users.admit(from(undefined, undefined))).toThrow(refused(DAY_MS / 2))
  })

  it('a full table admits new users of other networks and drops counts of the network that has most', () => {
    const users = newUserBounds({ clock: simulatedClock(START), perPrefix: 1, perFence: 3 })
    users.admit(from('4:198.51.100.1', '4:198.51.100.1'))
    const flood = (i: number) => {
      const fence = `6:2001:db8:${(i >> 2).toString(16)}`
      return from(`${fence}:${(i & 3).toString(16)}00`, fence)
    }
    let admitted = 0
    for (let i = 0; i < NEW_USER_TABLE_MAX; i++) {
      try {
        users.admit(flood(i))
        admitted++
      } catch {}
    }
    // Three of the four prefixes of each /48: its own bound holds after prefixes were dropped.
    expect(admitted).toBe((3 * NEW_USER_TABLE_MAX) / 4)
    for (let i = 0; i < 100; i++) users.admit(from(`4:203.0.113.${i}`, `4:203.0.113.${i}`))
    expect(() => users.admit(from('4:198.51.100.1', '4:198.51.100.1'))).toThrow(refused(DAY_MS / 2))
  })

  it('an address at its limit of new users still gets replies for known users and for empty syncs', async () => {
    const w = await world({ config: { newUsersPerPrefix: 3, newUsersPerFence: 4 } })
    const e = w.epoch()
    const first = w.device(from('6:fd99:0:0:1'))
    await first.sync({ rows: { [e]: [1] } })
    for (let i = 0; i < 2; i++) await w.device(from('6:fd99:0:0:1')).sync({ rows: { [e]: [1] } })
    const beyond = w.device(from('6:fd99:0:0:1')).sync({ rows: { [e]: [1] } })
    await expect(beyond).rejects.toMatchObject({ code: 'QUOTA_SPENT', data: { retryAfterMs: DAY_MS / 2 } })
    await w.device(from('6:fd99:0:0:2')).sync({ rows: { [e]: [1] } })
    await expect(w.device(from('6:fd99:0:0:3')).sync({ rows: { [e]: [1] } })).rejects.toMatchObject({
      code: 'QUOTA_SPENT',
    })
    await first.sync({ rows: { [e]: [2] } })
    // An empty sync creates no user.
    expect((await w.device(from('6:fd99:0:0:1')).sync()).marks).toEqual([])
    await w.clock.advanceTo(START + DAY_MS / 2)
    await w.device(from('6:fd99:0:0:1')).sync({ rows: { [w.epoch()]: [1] } })
  })
})
