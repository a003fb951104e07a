import { afterEach, describe, expect, it } from 'vitest'
import { systemRandom } from '../../src/platform/random.ts'
import { Stage } from './federation.ts'
import { replica, replicas, type TestReplica } from './replica.ts'

const stage = new Stage()
afterEach(() => stage.end())

describe('seed rounds', () => {
  it('the lowest-ranked reachable replica makes the seed, and the others wait for it', async () => {
    const { players, byRank } = await replicas(3)
    const [first, second, third] = await Promise.all(byRank.map((secret) => replica(stage, players, secret)))
    await Promise.all([first!.up(), third!.up()])
    await third!.acquire()
    expect(third!.seed()).toBeUndefined()
    await second!.acquire()
    expect(second!.seed()).toBeUndefined()
    await first!.acquire()
    expect(first!.root()).toBeDefined()
    expect(third!.seed()).toEqual(first!.seed())
    // The third replica has the seed, but does not know yet that a majority has it.
    expect(third!.root()).toBeUndefined()
    await third!.acquire()
    expect(third!.root()).toEqual(first!.root())
    await second!.acquire()
    expect(second!.root()).toEqual(first!.root())
  })

  it('the second replica makes the seed after two seconds when the first is away, and signs once a majority has it', async () => {
    const { players, byRank } = await replicas(3)
    const [first, second, third] = await Promise.all(byRank.map((secret) => replica(stage, players, secret)))
    await second!.up()
    await second!.acquire(1_999)
    expect(second!.seed()).toBeUndefined()
    await second!.acquire(2_000)
    expect(second!.seed()).toBeDefined()
    expect(second!.root()).toBeUndefined()
    await third!.up()
    await second!.acquire()
    expect(second!.root()).toBeDefined()
    await third!.acquire()
    expect(third!.root()).toEqual(second!.root())
    await first!.acquire()
    expect(first!.root()).toEqual(second!.root())
  })

  for (const count of [2, 3, 5]) {
    it(`${count} replicas that made ${count} seeds at the same time end up with one`, async () => {
      const { players, byRank } = await replicas(count)
      const all: TestReplica[] = []
      for (const secret of byRank) all.push(await replica(stage, players, secret, undefined, all))
      for (const item of all) {
        await item.up()
        expect(await item.shards.make(item.shard)).toBe(true)
      }
      expect(new Set(all.map((item) => Buffer.from(item.seed()!).toString('hex'))).size).toBe(count)
      for (let round = 0; round < 3; round++) await Promise.all(all.map((item) => item.acquire()))
      for (const item of all) expect(item.root()).toEqual(all[0]!.root())
      expect(all[0]!.root()).toBeDefined()
    })
  }

  it('a replica that signed a sheet and lost its seed makes no second seed, but takes the same one back', async () => {
    const { players, byRank } = await replicas(2)
    const dir = await stage.dir()
    const [first, second] = [await replica(stage, players, byRank[0]!, dir), await replica(stage, players, byRank[1]!)]
    await Promise.all([first.up(), second.up()])
    await first.acquire()
    expect(first.root()).toBeDefined()
    const again = await replica(stage, players, byRank[0]!, dir)
    expect(await again.shards.make(again.shard)).toBe(false)
    expect(again.drawn()).toBe(0)
    expect(again.seed()).toBeUndefined()
    // The other replica still has the seed, so the first one signs the same sheet again.
    await again.acquire()
    expect(again.root()).toEqual(first.root())
    // A replica that signed a sheet takes no other seed.
    const other = await replica(stage, players, byRank[0]!, dir)
    const seed = { epoch: other.shards.firstEpoch, state: systemRandom(32), quotaKey: systemRandom(32) }
    expect(await other.shards.take(other.shard, seed, 0)).toBe(false)
    expect(other.seed()).toBeUndefined()
  })

  it('a replica keeps its seed when another hands out a seed that does not match the sheet it says it signed', async () => {
    const { players, byRank } = await replicas(3)
    const all: TestReplica[] = []
    for (const secret of byRank) all.push(await replica(stage, players, secret, undefined, all))
    const [first, second, third] = all
    await Promise.all([first!.up(), third!.up()])
    expect(await first!.shards.make(first!.shard)).toBe(true)
    expect(await third!.shards.make(third!.shard)).toBe(true)
    const own = first!.seed()!
    // The third says that it signed some sheet, but its seed leads to another. Following it could go on permanently.
    const honest = third!.root
    third!.root = () => systemRandom(32)
    await first!.acquire()
    expect(first!.seed()).toEqual(own)
    third!.root = honest
    await third!.shards.sign(third!.shard)
    await first!.acquire()
    expect(first!.seed()).toEqual(third!.seed())
    expect(second!.seed()).toBeUndefined()
  })

  it('a replica gives its seed up for the certified one, and the giver reports the handover', async () => {
    const { players, byRank } = await replicas(2)
    const [first, second] = await Promise.all(byRank.map((secret) => replica(stage, players, secret)))
    await first!.up()
    for (const item of [first!, second!]) expect(await item.shards.make(item.shard)).toBe(true)
    const sheets = [first!.shard.tree!.root]
    for (const item of [first!, second!]) {
      item.certify(sheets)
      await item.shards.settle()
    }
    expect(first!.seed()).toBeDefined()
    expect(second!.seed()).toBeUndefined()
    expect(await second!.shards.make(second!.shard)).toBe(false)
    await second!.acquire()
    expect(second!.seed()).toEqual(first!.seed())
    expect(second!.shard.tree!.root).toEqual(sheets[0])
    // The seed went to rank 1 after the certificate.
    expect(first!.given).toEqual([1])
  })
})
