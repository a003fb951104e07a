import { simulatedClock } from '@geotrace/core-wasm'
import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../../src/central/store/memory-store.ts'
import { newUserBounds } from '../../../src/central/sync/new-users.ts'
import { DAY_MS, RELAY, START, world } from '../world.ts'

const OTHER = new Uint8Array(32).fill(2)
const refused = expect.objectContaining({ code: 'BUSY', data: { retryAfterMs: DAY_MS / 2 } })

describe('the limits of new users', () => {
  it('each relay brings only so many new users until the UTC day ends', async () => {
    const clock = simulatedClock(START)
    const store = memoryStore()
    const users = newUserBounds({ store, clock, perRelay: 2 })
    for (const relay of [RELAY, RELAY, OTHER]) await users.admit(relay)
    await expect(users.admit(RELAY)).rejects.toEqual(refused)
    // Another process on the same store counts on.
    const others = newUserBounds({ store, clock, perRelay: 2 })
    await others.admit(OTHER)
    await expect(others.admit(OTHER)).rejects.toEqual(refused)
    await clock.advanceTo(START + DAY_MS / 2)
    await users.admit(RELAY)
  })

  it('a relay at its limit of new users still brings syncs of known users and empty syncs', async () => {
    const w = await world({ config: { newUsersPerRelay: 2 } })
    const e = w.epoch()
    const [first, second, third] = [w.device(), w.device(), w.device()]
    for (const device of [first, second]) await device.sync({ rows: { [e]: [1] } })
    await expect(third.sync({ rows: { [e]: [1] } })).rejects.toMatchObject(refused)
    await first.sync({ rows: { [e]: [2] } })
    // An empty sync creates no user.
    expect((await third.sync()).marks).toEqual([])
    await w.device(OTHER).sync({ rows: { [e]: [1] } })
    await w.clock.advanceTo(START + DAY_MS / 2)
    await third.sync({ rows: { [w.epoch()]: [1] } })
  })
})
