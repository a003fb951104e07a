import type { Random } from '@geotrace/core-wasm'
import { simulatedClock } from '@geotrace/core-wasm'
import {
  bodyToCertified,
  type CertifiedRoster,
  encodeRoster,
  equalBytes,
  manifestToRoster,
  SEEDS_PROTOCOL,
  shardToReplicas,
} from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { fileRecords } from '../../src/platform/file-records.ts'
import { silent } from '../../src/platform/log.ts'
import { nativeSigner } from '../../src/platform/native-signer.ts'
import { systemRandom } from '../../src/platform/random.ts'
import type { Holdings } from '../../src/salt/holdings.ts'
import { seedKeeper } from '../../src/salt/secrets/seed-keeper.ts'
import { seedRounds } from '../../src/salt/seed-rounds.ts'
import { seedService } from '../../src/salt/seed-service.ts'
import { createShards } from '../../src/salt/shards.ts'
import { type Cast, cast, core, Stage } from './federation.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const stage = new Stage()
afterEach(() => stage.end())

/** Casts whose one shard all nodes replicate; secrets in the order of their rank. */
async function replicas(count: number): Promise<{ players: Cast; byRank: Uint8Array[] }> {
  const players = await cast(count, NOW, { shards: 1, replicas: count, reserveEpochs: 0, periodEpochs: 2 })
  const order = shardToReplicas(manifestToRoster(players.manifest), 0)
  const byRank = order.map(({ key }) => players.secrets.find((secret) => equalBytes(nativeSigner(secret).key, key))!)
  return { players, byRank }
}

/** Long enough for every rank to have waited for the ones below. */
const PATIENT_MS = 60_000

/** One replica as far as seeds go. `up` lets others reach it. */
async function replica(
  { manifest }: Cast,
  secret: Uint8Array,
  dir?: string,
  told: { key: Uint8Array; root(): Uint8Array | undefined }[] = [],
) {
  const roster = manifestToRoster(manifest)
  const signer = nativeSigner(secret)
  const clock = simulatedClock(NOW)
  const keeper = seedKeeper(core)
  const records = await fileRecords(dir ?? (await stage.dir()))
  let certified: CertifiedRoster | undefined
  let drawn = 0
  const given: number[] = []
  const random: Random = (length) => {
    drawn++
    return systemRandom(length)
  }
  const shards = createShards({
    roster,
    signer,
    core,
    random,
    records,
    keeper,
    certified: () => certified,
  })
  const { addresses } = roster.members.find(({ key }) => equalBytes(key, signer.key))!
  let host = await stage.host(clock, secret)
  let rounds = seedRounds({ shards, keeper, host, core, clock, log: silent, certified: () => certified })
  const shard = shards.all[0]!
  return {
    shard,
    shards,
    drawn: () => drawn,
    /** Ranks of those who got the seed after the certificate. */
    given,
    key: signer.key,
    acquire: (forMs = PATIENT_MS) =>
      rounds.acquire(forMs, (key) => told.find((item) => equalBytes(item.key, key))?.root()),
    root: () => shard.signed?.root,
    seed: () => keeper.seed(0, roster.firstEpoch)?.state,
    async up() {
      await host.stop()
      host = await stage.host(clock, secret, addresses)
      rounds = seedRounds({ shards, keeper, host, core, clock, log: silent, certified: () => certified })
      const holdings = {
        find: (firstEpoch: number) => (firstEpoch === shards.firstEpoch ? { shards, shard } : undefined),
        certified: () => certified,
      } as unknown as Holdings
      await host.serve(SEEDS_PROTOCOL, seedService({ holdings, keeper, handedOver: ({ rank }) => given.push(rank) }))
    },
    certify(sheets: Uint8Array[]) {
      certified = bodyToCertified(encodeRoster({ ...roster, sheets }), [], [])
    },
  }
}

describe('the seed of a shard', () => {
  it('is made by the lowest-ranked replica that is there, and waits for one that is', async () => {
    const { players, byRank } = await replicas(3)
    const [first, second, third] = await Promise.all(byRank.map((secret) => replica(players, secret)))
    await Promise.all([first!.up(), third!.up()])
    await third!.acquire()
    expect(third!.seed()).toBeUndefined()
    await second!.acquire()
    expect(second!.seed()).toBeUndefined()
    await first!.acquire()
    expect(first!.root()).toBeDefined()
    expect(third!.seed()).toEqual(first!.seed())
    // It has the seed; whether a majority has, it sees for itself.
    expect(third!.root()).toBeUndefined()
    await third!.acquire()
    expect(third!.root()).toEqual(first!.root())
    await second!.acquire()
    expect(second!.root()).toEqual(first!.root())
  })

  it('is made by the next when the first is away, and signed by its maker once a majority has it', async () => {
    const { players, byRank } = await replicas(3)
    const [first, second, third] = await Promise.all(byRank.map((secret) => replica(players, secret)))
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
    it(`is one in the end although ${count} of ${count} replicas made one at the same time`, async () => {
      const { players, byRank } = await replicas(count)
      const all: Awaited<ReturnType<typeof replica>>[] = []
      for (const secret of byRank) all.push(await replica(players, secret, undefined, all))
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

  it('is not made again by a replica that signed one and lost it', async () => {
    const { players, byRank } = await replicas(2)
    const dir = await stage.dir()
    const [first, second] = [await replica(players, byRank[0]!, dir), await replica(players, byRank[1]!)]
    await Promise.all([first.up(), second.up()])
    await first.acquire()
    expect(first.root()).toBeDefined()
    const again = await replica(players, byRank[0]!, dir)
    expect(await again.shards.make(again.shard)).toBe(false)
    expect(again.drawn()).toBe(0)
    expect(again.seed()).toBeUndefined()
    // It finds it with the other one, and signs the same sheet.
    await again.acquire()
    expect(again.root()).toEqual(first.root())
    // Another seed it takes from nobody.
    const other = await replica(players, byRank[0]!, dir)
    const seed = { epoch: other.shards.firstEpoch, state: systemRandom(32), quotaKey: systemRandom(32) }
    expect(await other.shards.take(other.shard, seed, 0)).toBe(false)
    expect(other.seed()).toBeUndefined()
  })

  it('is not given up for what a replica hands out that signed another', async () => {
    const { players, byRank } = await replicas(3)
    const all: Awaited<ReturnType<typeof replica>>[] = []
    for (const secret of byRank) all.push(await replica(players, secret, undefined, all))
    const [first, second, third] = all
    await Promise.all([first!.up(), third!.up()])
    expect(await first!.shards.make(first!.shard)).toBe(true)
    expect(await third!.shards.make(third!.shard)).toBe(true)
    const own = first!.seed()!
    // It says that it signed a sheet, but its seed leads to another: to follow it would be to follow it for ever.
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

  it('stays when another is offered while its sheet is being signed', async () => {
    const { players, byRank } = await replicas(3)
    const [, second] = await Promise.all(byRank.map((secret) => replica(players, secret)))
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

  it('has the sheet of the seed that is held, though another came while the first was computed', async () => {
    const { players, byRank } = await replicas(3)
    const [, , third] = await Promise.all(byRank.map((secret) => replica(players, secret)))
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

  it('is given up for the certified one', async () => {
    const { players, byRank } = await replicas(2)
    const [first, second] = await Promise.all(byRank.map((secret) => replica(players, secret)))
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
    // Who gave it out after the certificate says to whom.
    expect(first!.given).toEqual([1])
  })
})
