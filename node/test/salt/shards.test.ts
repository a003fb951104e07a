import { afterEach, describe, expect, it } from 'vitest'
import { systemRandom } from '../../src/platform/random.ts'
import { Stage } from './federation.ts'
import { replica, replicas } from './replica.ts'

const stage = new Stage()
afterEach(() => stage.end())

describe('the shards of a node', () => {
  it('a seed stays when another seed is offered while its sheet is being signed', async () => {
    const { players, byRank } = await replicas(3)
    const [, second] = await Promise.all(byRank.map((secret) => replica(stage, players, secret)))
    expect(await second!.shards.make(second!.shard)).toBe(true)
    const own = second!.seed()!
    const other = { epoch: second!.shards.firstEpoch, state: systemRandom(32), quotaKey: systemRandom(32) }
    const [, isTaken] = await Promise.all([
      second!.shards.sign(second!.shard),
      second!.shards.take(second!.shard, other, 0),
    ])
    expect(isTaken).toBe(false)
    expect(second!.seed()).toEqual(own)
    expect(second!.root()).toEqual(second!.shard.tree!.root)
  })

  it('a shard has the sheet of the seed it holds, although another seed came while the first sheet was computed', async () => {
    const { players, byRank } = await replicas(3)
    const [, , third] = await Promise.all(byRank.map((secret) => replica(stage, players, secret)))
    const seed = () => ({ epoch: third!.shards.firstEpoch, state: systemRandom(32), quotaKey: systemRandom(32) })
    const [late, early] = [seed(), seed()]
    const taken = await Promise.all([
      third!.shards.take(third!.shard, late, 1),
      third!.shards.take(third!.shard, early, 0),
    ])
    expect(taken).toEqual([false, true])
    expect(third!.seed()).toEqual(early.state)
    expect(third!.shard.tree!.root).toEqual(await third!.shards.rootOf(early))
  })
})
