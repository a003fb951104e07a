import { isProof, type SignedSheet } from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { systemRandom } from '../../src/platform/random.ts'
import { Stage } from './federation.ts'
import { replica, replicas } from './replica.ts'

const stage = new Stage()
afterEach(() => stage.end())
const NO_ROSTER = () => undefined
const toSheet = ({ root, signature }: SignedSheet) => ({ root, signature })

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

  it('a node that signed a sheet makes no second seed after the same roster, and signs a new one on another branch', async () => {
    const { players, byRank } = await replicas(3)
    const [secret, dir] = [byRank[0]!, await stage.dir()]
    const first = await replica(stage, players, secret, dir)
    expect(await first.shards.make(first.shard)).toBe(true)
    await first.shards.sign(first.shard)
    const again = await replica(stage, players, secret, dir)
    expect(await again.shards.make(again.shard)).toBe(false)
    // The chain was overtaken: the same period follows another roster.
    const branch = { previous: systemRandom(32) }
    const other = await replica(stage, players, secret, dir, [], branch)
    expect(await other.shards.make(other.shard)).toBe(true)
    await other.shards.sign(other.shard)
    expect(other.root()).toBeDefined()
    expect(other.root()).not.toEqual(first.root())
    const otherAgain = await replica(stage, players, secret, dir, [], branch)
    expect(await otherAgain.shards.make(otherAgain.shard)).toBe(false)
    // Both sheets stay recorded, and their signatures do not contradict each other.
    const { federation, firstEpoch } = first.shards.roster
    const head = {
      federation,
      previous: first.shards.roster.previous,
      shard: 0,
      firstEpoch,
      epochs: first.shards.epochs,
    }
    const [one, two] = [first.shard.signed!, other.shard.signed!]
    expect(
      isProof({ kind: 'sheets', key: first.key, ...head, first: toSheet(one), second: toSheet(two) }, NO_ROSTER),
    ).toBe(false)
    await again.shards.take(again.shard, { epoch: firstEpoch, state: first.seed()!, quotaKey: systemRandom(32) }, 0)
    await again.shards.sign(again.shard)
    expect(again.root()).toEqual(first.root())
  })
})
