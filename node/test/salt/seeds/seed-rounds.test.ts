import {
  decodeSeedsRequest,
  encodeSeedsReply,
  epochToSecretSpan,
  MINUTE_MS,
  VACANT_ROOT,
} from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../../src/platform/random.ts'
import { ownParts, type ShardPart } from '../../../src/salt/seeds/shard.ts'
import { equivocate } from './equivocator.ts'
import { Group, type TestReplica } from './replica.ts'

const SETTINGS = [
  { replicas: 1, threshold: 1 },
  { replicas: 3, threshold: 1 },
  { replicas: 3, threshold: 2 },
  { replicas: 5, threshold: 3 },
  { replicas: 6, threshold: 3 },
]
const ROUNDS_MAX = 4
const hexOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex')
const rootsOf = (replicas: readonly TestReplica[]): Set<string> => new Set(replicas.map((item) => hexOf(item.root())))

/** Rounds of these replicas until all have signed, at most `rounds`. */
async function roundsOf(replicas: readonly TestReplica[], rounds = ROUNDS_MAX): Promise<void> {
  for (let i = 0; i < rounds; i++) await Promise.all(replicas.map((replica) => replica.acquire()))
}

/** Flips a bit of the state of the first seed that a replica gives, and of the last line. */
const flipping =
  (replica: TestReplica): NonNullable<TestReplica['lie']> =>
  async (bytes, from) => {
    const reply = await replica.honestly(bytes, from)
    const at = decodeSeedsRequest(bytes).op === 'fetch' ? STATE_AT : reply.length - 1
    if (at < reply.length) reply[at]! ^= 1
    return reply
  }
/** Status, root, key, count, then part and epoch of the first seed. */
const STATE_AT = 1 + 32 + 32 + 1 + 1 + 4

describe('seed rounds', () => {
  it.each(SETTINGS)('$threshold of $replicas replicas obtain all seeds and sign one sheet', async (setting) => {
    const group = new Group(setting)
    for (let round = 0; round < ROUNDS_MAX; round++) await group.round(round * 2_000)
    expect(group.replicas[0]!.root()).toBeDefined()
    expect(rootsOf(group.replicas).size).toBe(1)
    for (const replica of group.replicas) {
      expect(replica.isWhole()).toBe(true)
      // Its lowest member made each seed, and nobody else has it.
      for (const { part, members, isOwn } of replica.shard.parts) {
        expect(replica.seed(part)).toEqual(isOwn ? group.replicas[members[0]!]!.seed(part) : undefined)
      }
    }
    expect(group.evidence).toEqual([])
  })

  it('the lowest member makes the seed, and the others wait for it', async () => {
    const group = new Group({ replicas: 3 })
    const [first, second, third] = group.replicas
    await third!.acquire(0)
    await second!.acquire(1_999)
    expect(group.replicas.map((replica) => replica.seed())).toEqual([undefined, undefined, undefined])
    await first!.acquire(0)
    expect(first!.root()).toBeDefined()
    expect(third!.seed()).toEqual(first!.seed())
    expect(third!.root()).toBeUndefined()
    await roundsOf([second!, third!], 1)
    expect(rootsOf(group.replicas).size).toBe(1)
  })

  it('the second member makes the seed after two seconds when the first is away or makes none', async () => {
    for (const isUp of [false, true]) {
      const group = new Group({ replicas: 3 })
      const [first, second, third] = group.replicas
      first!.isUp = isUp
      await second!.acquire(1_999)
      expect(second!.seed()).toBeUndefined()
      await second!.acquire(2_000)
      expect(second!.root()).toBeDefined()
      expect(third!.seed()).toEqual(second!.seed())
      first!.isUp = true
      await roundsOf([first!, third!], 1)
      expect(rootsOf(group.replicas).size).toBe(1)
    }
  })

  it('a member makes no seed while no other replica answers, because it could not make another after a crash', async () => {
    const group = new Group({ replicas: 3 })
    const [first, second, third] = group.replicas
    second!.isUp = false
    third!.isUp = false
    await first!.acquire()
    expect(first!.drawn).toBe(0)
    third!.isUp = true
    await first!.acquire()
    expect(third!.seed()).toEqual(first!.seed())
    // After the founding a member that stays alone makes the seed after half a minute.
    const later = new Group({ replicas: 3, roster: { height: 4, firstEpoch: 600_000 } })
    for (const other of later.replicas.slice(1)) other.isUp = false
    await later.replicas[0]!.acquire(29_999)
    expect(later.replicas[0]!.drawn).toBe(0)
    await later.replicas[0]!.acquire(30_000)
    expect(later.replicas[0]!.seed()).toBeDefined()
  })

  it.each(SETTINGS)(
    '$threshold of $replicas replicas that made all seeds at once end up with one of each',
    async (setting) => {
      const group = new Group(setting)
      for (const replica of group.replicas) await replica.make()
      for (let round = 0; round < ROUNDS_MAX; round++) await group.round()
      expect(rootsOf(group.replicas).size).toBe(1)
      expect(group.replicas[0]!.root()).toBeDefined()
      for (const { shard } of group.replicas) {
        for (const { members, lines } of shard.parts) expect(lines!.maker).toBe(members[0])
      }
      expect(group.evidence).toEqual([])
    },
  )

  it('a maker that lost its seed makes no second one: it takes the first back, or that of the next member', async () => {
    for (const isTaken of [true, false]) {
      const group = new Group({ replicas: 3 })
      const [first, second, third] = group.replicas
      await first!.make()
      expect(first!.drawn).toBe(2)
      const seed = first!.seed()
      if (isTaken) await second!.acquire()
      first!.restart()
      await first!.acquire()
      expect(first!.drawn).toBe(2)
      await roundsOf([third!, second!, first!])
      expect(first!.drawn).toBe(2)
      expect(rootsOf(group.replicas).size).toBe(1)
      expect(first!.root()).toBeDefined()
      if (isTaken) expect(third!.seed()).toEqual(seed)
      else expect(third!.seed()).not.toEqual(seed)
      expect(group.evidence).toEqual([])
    }
  })

  it.each(SETTINGS.slice(1))(
    'a replica of $replicas that signed, and lost its seeds, signs the same sheet again',
    async (setting) => {
      const group = new Group(setting)
      await roundsOf(group.replicas)
      const [first] = group.replicas
      const [root, drawn] = [first!.root(), first!.drawn]
      first!.restart()
      expect(first!.root()).toBeUndefined()
      await first!.acquire()
      expect(first!.root()).toEqual(root)
      expect(first!.isWhole()).toBe(true)
      expect(first!.drawn).toBe(drawn)
      expect(first!.signedRoots.size).toBe(1)
    },
  )

  it('a replica signs a root of the majority at once, or after half a minute while another root is stated', async () => {
    const group = new Group({ replicas: 3 })
    const [first, second, third] = group.replicas
    const lie = systemRandom(32)
    third!.lie = async () => encodeSeedsReply({ root: lie, giverKey: new Uint8Array(32), parts: [] })
    await first!.acquire()
    expect(second!.seed()).toEqual(first!.seed())
    expect(first!.root()).toBeUndefined()
    await group.clock.jumpTo(group.clock.now() + 29_999)
    await first!.acquire()
    expect(first!.root()).toBeUndefined()
    await group.clock.jumpTo(group.clock.now() + 1)
    await first!.acquire()
    expect(first!.root()).toBeDefined()
    // A replica that signs after another does not wait.
    await second!.acquire(undefined)
    expect(second!.root()).toEqual(first!.root())
  })

  it('a replica takes no seed without the signature of its maker, and believes its giver again after half a minute', async () => {
    const group = new Group({ replicas: 3 })
    const [first, second, third] = group.replicas
    first!.isUp = false
    await second!.make()
    const good = second!.seed()
    second!.lie = flipping(second!)
    await third!.acquire(0)
    expect(third!.seed()).toBeUndefined()
    second!.lie = undefined
    await third!.acquire(0)
    expect(third!.seed()).toBeUndefined()
    await group.clock.jumpTo(group.clock.now() + 30_000)
    await third!.acquire(0)
    expect(third!.seed()).toEqual(good)
  })

  it('a replica follows a root that enough others signed, although it knows a seed of a lower rank', async () => {
    const group = new Group({ replicas: 5, threshold: 3 })
    const [first, ...others] = group.replicas
    const [signers, late] = [others.slice(0, 3), others[3]!]
    for (const away of [first!, late]) away.isUp = false
    await roundsOf(signers)
    expect(rootsOf(signers).size).toBe(1)
    // The lowest rank comes with seeds of its own, and only the last replica takes them.
    await first!.make()
    const ofFirst = first!.shards.give(
      first!.shard,
      Array.from({ length: 10 }, (_, part) => part),
      4,
    )
    await late.shards.take(
      late.shard,
      ofFirst.map((seed) => ({ giver: 0, seed })),
    )
    expect(ownParts(late.shard).flatMap(({ lines }) => lines?.maker ?? [])).toEqual([0, 0, 0])
    for (const back of [first!, late]) back.isUp = true
    await roundsOf([late, first!], 2)
    expect(rootsOf(group.replicas).size).toBe(1)
    expect(late.root()).toBeDefined()
  })
})

describe('a maker of two seeds', () => {
  it.each(SETTINGS.slice(1))(
    'in a group of $replicas its seeds are evidence, and the others sign one sheet without them',
    async (setting) => {
      for (const liar of setting.replicas > 3 ? [0, 1] : [0]) {
        const group = new Group(setting)
        const honest = group.replicas.filter(({ rank }) => rank !== liar)
        await equivocate(group, group.replicas[liar]!, { variantOf: (to) => to % 2, withholdsFrom: () => false })
        if (liar === 1) group.replicas[0]!.isUp = false
        const live = honest.filter(({ isUp }) => isUp)
        for (let round = 0; round < 2 * ROUNDS_MAX; round++) {
          await Promise.all(group.replicas.filter(({ isUp }) => isUp).map((replica) => replica.acquire()))
        }
        expect(group.evidence.map(({ kind, key }) => [kind, hexOf(key)])).toContainEqual([
          'seeds',
          hexOf(group.replicas[liar]!.key),
        ])
        expect(rootsOf(live).size).toBe(1)
        expect(live[0]!.root()).toBeDefined()
        for (const { shard } of live) {
          for (const { members, lines } of shard.parts) if (members.length > 1) expect(lines!.maker).not.toBe(liar)
        }
      }
    },
  )

  it('a replica outside a part goes by the seed that most members hold, when a maker withholds its own', async () => {
    const group = new Group({ replicas: 5, threshold: 3 })
    const liar = group.replicas[0]!
    // The part of ranks 0, 2 and 4: the maker gives them nothing, and its lines to the others.
    await equivocate(group, liar, { variantOf: () => 0, withholdsFrom: (to) => to === 2 || to === 4 })
    for (let round = 0; round < 4 * ROUNDS_MAX; round++) {
      await group.round()
      await group.clock.jumpTo(group.clock.now() + 5_000)
    }
    const honest = group.replicas.slice(1)
    expect(rootsOf(honest).size).toBe(1)
    for (const replica of honest) expect(replica.isWhole()).toBe(true)
    expect(honest[0]!.root()).toBeDefined()
  })

  it('evidence appears also when two replicas signed different sheets before they could compare them', async () => {
    const group = new Group({ replicas: 3 })
    const [first, second, third] = group.replicas
    await equivocate(group, second!, { variantOf: (to) => Number(to > 0), withholdsFrom: () => false })
    // The first and the third cannot reach each other, and the second agrees with both.
    third!.isUp = false
    await second!.acquire()
    await first!.acquire()
    ;[first!.isUp, third!.isUp] = [false, true]
    await second!.acquire()
    first!.published = undefined
    await third!.acquire()
    expect(rootsOf([first!, third!]).size).toBe(2)
    expect(group.evidence).toEqual([])
    first!.isUp = true
    first!.published = first!.root()
    await roundsOf([first!, third!], 1)
    expect(group.convicted).toEqual(new Set([hexOf(second!.key)]))
  })
})

describe('seed rounds late in the effort', () => {
  const setup = async (replicas: number) => {
    const group = new Group({ replicas, roster: { height: 4, firstEpoch: 600_000, periodEpochs: 18 } })
    const votesEndMs = epochToSecretSpan(600_000).from - 2 * MINUTE_MS
    const toHalf = (ms: number) => group.clock.jumpTo(votesEndMs - 120 * MINUTE_MS + ms)
    await toHalf(-1)
    return { group, toHalf }
  }

  it('a replica signs whatever sheet it has in the second half, after half a minute of trying', async () => {
    const { group, toHalf } = await setup(5)
    const [first, second] = group.replicas
    for (const other of group.replicas.slice(2)) other.isUp = false
    await first!.acquire(60_000)
    expect(second!.seed()).toEqual(first!.seed())
    expect(first!.root()).toBeUndefined()
    await toHalf(0)
    await first!.acquire(29_999)
    expect(first!.root()).toBeUndefined()
    await first!.acquire(30_000)
    expect(first!.root()).toBeDefined()
  })

  it('a replica makes no seed in the second half, unless a majority answers', async () => {
    const { group, toHalf } = await setup(5)
    const [first, second, third] = group.replicas
    for (const other of group.replicas.slice(2)) other.isUp = false
    await toHalf(0)
    await first!.acquire()
    expect(first!.drawn).toBe(0)
    third!.isUp = true
    await first!.acquire()
    expect(rootsOf([first!]).size).toBe(1)
    await roundsOf([second!, third!], 1)
    expect(third!.root()).toEqual(first!.root())
  })
})

describe('seed rounds after the certificate', () => {
  it.each(SETTINGS.slice(1))(
    'a replica of $replicas that comes late takes lines and wound seeds, and a liar costs it one try',
    async (setting) => {
      const group = new Group(setting)
      const late = group.replicas.at(-1)!
      const others = group.replicas.slice(0, -1)
      late.isUp = false
      await roundsOf(others)
      await group.certify(others[0]!.shard.tree!.root)
      const { firstEpoch } = group.roster
      for (const { keeper } of others) keeper.advance(epochToSecretSpan(firstEpoch).to)
      others[0]!.lie = flipping(others[0]!)
      late.isUp = true
      await late.acquire(0)
      if (setting.replicas > 3 || setting.threshold === 1) expect(late.isWhole()).toBe(true)
      else {
        // Only the liar has the other seed of this replica.
        expect(late.isWhole()).toBe(false)
        others[0]!.lie = undefined
        await group.clock.jumpTo(group.clock.now() + 30_000)
        await late.acquire(0)
        expect(late.isWhole()).toBe(true)
      }
      for (const { part } of ownParts(late.shard)) {
        const held = others.find(({ shard }) => shard.parts[part]!.isOwn)!
        expect(late.seed(part)).toEqual(held.seed(part))
      }
      expect(late.shard.tree!.root).toEqual(others[0]!.shard.tree!.root)
      expect(others.flatMap(({ given }) => given).every((rank) => rank === late.rank)).toBe(true)
      expect(late.drawn).toBe(0)
    },
  )

  it('a replica with another sheet keeps the seeds that the certified sheet names too, and exchanges the rest', async () => {
    const group = new Group({ replicas: 5, threshold: 3 })
    const other = group.replicas[4]!
    other.isUp = false
    await roundsOf(group.replicas.slice(0, 4))
    // It made the seeds of all its parts alone, and gets one of those that the others have.
    await other.make()
    const own = ownParts(other.shard)
    const [same] = own
    const given = group.replicas[0]!.shards.give(group.replicas[0]!.shard, [same!.part], 4)
    await other.shards.take(
      other.shard,
      given.map((seed) => ({ giver: 0, seed })),
    )
    const before = own.map(({ part }) => hexOf(other.seed(part)))
    await group.certify(group.replicas[0]!.root()!)
    expect(own.map(({ part }) => hexOf(other.seed(part)))).toEqual(before)
    expect(other.isWhole()).toBe(false)
    other.isUp = true
    await other.acquire(0)
    expect(other.isWhole()).toBe(true)
    const after = own.map(({ part }) => hexOf(other.seed(part)))
    expect(after.map((seed, i) => seed === before[i])).toEqual(own.map((part) => part === same))
  })

  it('a replica drops the seeds that others replaced once the roster is certified', async () => {
    const group = new Group({ replicas: 3 })
    const [, second] = group.replicas
    for (const replica of group.replicas) await replica.make()
    await roundsOf(group.replicas)
    const [{ spares }] = ownParts(second!.shard) as [ShardPart]
    expect(spares.length).toBeGreaterThan(0)
    const place = { shard: 0, firstEpoch: group.roster.firstEpoch, part: 0 }
    const held = () => spares.filter(({ hash }) => second!.keeper.has({ ...place, spare: hexOf(hash) }))
    expect(held()).toEqual(spares)
    await group.certify(second!.root()!)
    expect(held()).toEqual([])
    expect(second!.isWhole()).toBe(true)
  })

  it('a replica gives its seed up for the certified one, and the giver reports the handover', async () => {
    const group = new Group({ replicas: 2 })
    const [first, second] = group.replicas
    await first!.make()
    await second!.make()
    await group.certify(first!.shard.tree!.root)
    expect(first!.isWhole()).toBe(true)
    expect(second!.isWhole()).toBe(false)
    await second!.acquire(0)
    expect(second!.seed()).toEqual(first!.seed())
    expect(second!.shard.tree!.root).toEqual(first!.shard.tree!.root)
    expect(first!.given).toEqual([1])
    const drawn = second!.drawn
    await second!.make()
    expect(second!.drawn).toBe(drawn)
  })

  it('a replica erases the seeds of a shard that the certificate leaves vacant, and looks for none', async () => {
    const group = new Group({ replicas: 3, threshold: 2 })
    await roundsOf(group.replicas)
    await group.certify(VACANT_ROOT)
    let requests = 0
    for (const replica of group.replicas) {
      replica.lie = async (bytes, from) => {
        requests++
        return await replica.honestly(bytes, from)
      }
    }
    await group.round(0)
    for (const replica of group.replicas) {
      expect(replica.isWhole()).toBe(false)
      expect(ownParts(replica.shard).map(({ part }) => replica.seed(part))).toEqual([undefined, undefined])
    }
    expect(requests).toBe(0)
  })
})
