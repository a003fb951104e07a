import { describe, expect, it } from 'vitest'
import { readBond, recordMade, recordRoot } from '../../../src/salt/sheets/sheet-record.ts'
import { memoryRecords } from '../../membership/agreement/council-world.ts'

const hash = (byte: number) => new Uint8Array(32).fill(byte)

describe('the record of seeds and sheets', () => {
  it('the record holds one root for each period and roster before, and the last root written for it', async () => {
    const records = memoryRecords()
    const [one, two] = [
      { firstEpoch: 18, previous: hash(1) },
      { firstEpoch: 18, previous: hash(2) },
    ]
    await recordRoot(records, 3, one, hash(7))
    await recordRoot(records, 3, two, hash(8))
    const rootOf = async (shard: number, period: typeof one) => (await readBond(records, shard, period)).root
    expect(await rootOf(3, one)).toEqual(hash(7))
    expect(await rootOf(3, two)).toEqual(hash(8))
    expect(await rootOf(3, { ...one, firstEpoch: 36 })).toBeUndefined()
    expect(await rootOf(4, one)).toBeUndefined()
    await recordRoot(records, 3, one, hash(9))
    expect(await rootOf(3, one)).toEqual(hash(9))
    expect(await rootOf(3, two)).toEqual(hash(8))
  })

  it('a node may make each part once in a period, also when two tasks ask at once, and none after it signed', async () => {
    const records = memoryRecords()
    const period = { firstEpoch: 18, previous: hash(1) }
    const asked = await Promise.all([recordMade(records, 0, period, [3, 0]), recordMade(records, 0, period, [0, 34])])
    expect(asked).toEqual([[3, 0], [34]])
    expect(await readBond(records, 0, period)).toMatchObject({ made: [0, 3, 34], root: undefined })
    expect(await recordMade(records, 0, period, [0, 3])).toEqual([])
    expect(await recordMade(records, 0, { ...period, previous: hash(2) }, [0])).toEqual([0])
    await recordRoot(records, 0, period, hash(5))
    expect(await recordMade(records, 0, period, [7])).toEqual([])
    expect(await readBond(records, 0, period)).toMatchObject({ made: [0, 3, 34], root: hash(5) })
  })

  it('the record keeps the newest eight periods', async () => {
    const records = memoryRecords()
    for (let i = 1; i <= 40; i++) await recordRoot(records, 0, { firstEpoch: i, previous: hash(0) }, hash(i))
    const kept = await Promise.all(
      Array.from({ length: 40 }, (_, i) => readBond(records, 0, { firstEpoch: i + 1, previous: hash(0) })),
    )
    expect(kept.flatMap(({ root }, i) => (root === undefined ? [] : [i + 1]))).toEqual([33, 34, 35, 36, 37, 38, 39, 40])
  })
})
