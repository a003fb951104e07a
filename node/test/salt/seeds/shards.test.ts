import { isProof, type SignedSheet } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../../src/platform/random.ts'
import type { GivenSeed } from '../../../src/salt/seeds/shards.ts'
import { Group, type TestReplica } from './replica.ts'

const NO_ROSTER = () => undefined
const toSheet = ({ root, signature }: SignedSheet) => ({ root, signature })
const seedsOf = (giver: TestReplica, taker: TestReplica): GivenSeed[] =>
  giver.shards.give(giver.shard, [0], taker.rank).map((seed) => ({ giver: giver.rank, seed }))

describe('the shards of a node', () => {
  it('a seed stays when a seed of a lower rank is offered while its sheet is being signed', async () => {
    const [first, second] = new Group({ replicas: 3 }).replicas
    for (const maker of [first!, second!]) await maker.make()
    const own = second!.seed()!
    const given = seedsOf(first!, second!)
    const [, isTaken] = await Promise.all([
      second!.shards.sign(second!.shard),
      second!.shards.take(second!.shard, given),
    ])
    expect(isTaken).toBe(false)
    expect(second!.seed()).toEqual(own)
    expect(second!.root()).toEqual(second!.shard.tree!.root)
  })

  it('the seed of the lower rank stays when two seeds come at once, with its sheet', async () => {
    const [first, second, third] = new Group({ replicas: 3 }).replicas
    for (const maker of [first!, second!]) await maker.make()
    const taken = await Promise.all(
      [second!, first!].map((giver) => third!.shards.take(third!.shard, seedsOf(giver, third!))),
    )
    expect(taken).toEqual([true, true])
    expect(third!.seed()).toEqual(first!.seed())
    expect(third!.shard.tree!.root).toEqual(first!.shard.tree!.root)
    expect(await third!.shards.take(third!.shard, seedsOf(second!, third!))).toBe(false)
    expect(third!.seed()).toEqual(first!.seed())
  })

  it('a node that made a seed or signed a sheet makes no seed after the same roster, and a new one on another branch', async () => {
    const group = new Group({ replicas: 3 })
    const [first] = group.replicas
    await first!.make()
    await first!.shards.sign(first!.shard)
    const [seed, before, sheet] = [first!.seed(), first!.drawn, first!.shard.signed!]
    first!.restart()
    await first!.make()
    expect(first!.drawn).toBe(before)
    // The chain was overtaken: the same period follows another roster.
    const branch = new Group({ replicas: 3, roster: { previous: systemRandom(32) } })
    const other = branch.replicas.find(({ rank }) => rank === first!.rank)!
    other.records = first!.records
    other.restart()
    await other.make()
    expect(other.seed()).toBeDefined()
    expect(other.seed()).not.toEqual(seed)
    await other.shards.sign(other.shard)
    expect(other.root()).not.toEqual(sheet.root)
    const drawn = other.drawn
    other.restart()
    await other.make()
    expect(other.drawn).toBe(drawn)
  })

  it('the sheets and seeds of two branches of the chain do not contradict each other', async () => {
    const group = new Group({ replicas: 3 })
    const { federation, previous, firstEpoch } = group.roster
    const [first] = group.replicas
    const branch = new Group({ replicas: 3, roster: { federation, firstEpoch, previous: systemRandom(32) } })
    const other = branch.replicas[0]!
    Object.assign(other, { signer: first!.signer, key: first!.key })
    for (const replica of [first!, other]) {
      await replica.make()
      await replica.shards.sign(replica.shard)
    }
    const head = { key: first!.key, federation, previous, shard: 0, firstEpoch }
    const [one, two] = [first!, other].map(({ shard }) => shard.signed!)
    const sheets = {
      kind: 'sheets',
      ...head,
      epochs: first!.shards.epochs,
      first: toSheet(one!),
      second: toSheet(two!),
    }
    expect(isProof(sheets as never, NO_ROSTER)).toBe(false)
    const [mine, theirs] = [first!, other].map(({ shard }) => {
      const { hash, signature } = shard.parts[0]!.lines!
      return { hash, signature }
    })
    expect(isProof({ kind: 'seeds', ...head, part: 0, first: mine!, second: theirs! }, NO_ROSTER)).toBe(false)
  })

  it('closed shards hold no seed, also none that a task under way brings', async () => {
    const [first, second] = new Group({ replicas: 3 }).replicas
    await first!.make()
    const taking = second!.shards.take(second!.shard, seedsOf(first!, second!))
    second!.shards.close()
    await taking
    expect(second!.seed()).toBeUndefined()
    expect(second!.isWhole()).toBe(false)
    first!.shards.close()
    expect(first!.seed()).toBeUndefined()
  })
})
