import { afterEach, describe, expect, it } from 'vitest'
import { createPledges, PLEDGES_MAX } from '../../../src/membership/agreement/pledges.ts'
import { fileRecords } from '../../../src/platform/file-records.ts'
import { Stage } from '../../salt/federation.ts'
import { memoryRecords } from './council-world.ts'

const stage = new Stage()
afterEach(() => stage.end())
const hash = (byte: number) => new Uint8Array(32).fill(byte)

describe('pledges', () => {
  it('a period gets one hash, also when two are given at once, and keeps it after a restart', async () => {
    const dir = await stage.dir()
    const pledges = createPledges(await fileRecords(dir), 'votes')
    const given = await Promise.all([pledges.give(18, hash(1)), pledges.give(18, hash(2)), pledges.give(18, hash(1))])
    // Each call reads the disk first, so either hash may be the first.
    const [kept, other] = given[0] ? [1, 2] : [2, 1]
    expect(given).toEqual([kept === 1, kept === 2, kept === 1])
    const again = createPledges(await fileRecords(dir), 'votes')
    expect(await again.of(18)).toEqual(hash(kept!))
    expect(await again.give(18, hash(other!))).toBe(false)
    expect(await again.give(36, hash(2))).toBe(true)
    expect(await createPledges(await fileRecords(dir), 'proposals').of(18)).toBeUndefined()
  })

  it('the record keeps the newest 512 periods, and a period before them gets no hash any more', async () => {
    const pledges = createPledges(memoryRecords(), 'votes')
    for (let period = 1; period <= PLEDGES_MAX + 10; period++)
      expect(await pledges.give(period, hash(period))).toBe(true)
    expect(PLEDGES_MAX).toBe(512)
    expect(await pledges.of(10)).toBeUndefined()
    expect(await pledges.of(11)).toEqual(hash(11))
    // The list had a hash for these periods, so a new one could be a second one.
    for (const period of [1, 10, 0]) expect(await pledges.give(period, hash(3))).toBe(false)
    expect(await pledges.give(11, hash(12))).toBe(false)
  })
})
