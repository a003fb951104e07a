import { effortSpan, epochToSecretSpan, MINUTE_MS } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { lackedShards, type NextPeriodStatus, nextPeriodStatus } from '../../src/salt/node-status.ts'
import { Group, type TestReplica } from './seeds/replica.ts'

/** The parts of a replica in the period that its group agrees on. */
const read = (group: Group, { shards, clock }: TestReplica): NextPeriodStatus | undefined =>
  nextPeriodStatus({ coming: () => shards, certified: () => group.certified }, clock.now())
const lacks = (group: Group, replica: TestReplica): number =>
  read(group, replica)!.missing.reduce((sum, { parts }) => sum + parts, 0)

describe('the parts of a node in the next period', () => {
  it('a node lacks every part before the first round, and none when all replicas have signed', async () => {
    const group = new Group({ replicas: 5, threshold: 3 })
    const [replica] = group.replicas
    expect(read(group, replica!)).toEqual({
      neededMs: epochToSecretSpan(group.roster.firstEpoch).from,
      lateFromMs: effortSpan(group.roster.periodEpochs, group.roster.firstEpoch).signAnyFrom,
      parts: replica!.shard.parts.length,
      missing: [{ shard: 0, parts: replica!.shard.parts.length }],
    })
    for (let round = 0; round < 4; round++) await group.round(round * 2_000)
    for (const each of group.replicas) expect(read(group, each)!.missing).toEqual([])
  })

  it('while too few replicas answer, a node lacks their parts, and its status shows that two hours before they are needed', async () => {
    const group = new Group({ replicas: 5, threshold: 3 })
    for (const replica of group.replicas.slice(1)) replica.isUp = false
    for (let round = 0; round < 4; round++) await group.round(round * 2_000)
    const [replica] = group.replicas
    expect(lacks(group, replica!)).toBeGreaterThan(0)
    // The default period; a period of one epoch has less time.
    const { signAnyFrom } = effortSpan(18, group.roster.firstEpoch)
    expect(read(group, replica!)!.neededMs - signAnyFrom).toBeGreaterThan(120 * MINUTE_MS)
    for (const other of group.replicas) other.isUp = true
    for (let round = 0; round < 4; round++) await group.round()
    expect(lacks(group, replica!)).toBe(0)
  })

  it('a restarted node lacks parts of a certified roster at once, also those of others whose lines are lost', async () => {
    const group = new Group({ replicas: 3, threshold: 2 })
    for (let round = 0; round < 4; round++) await group.round()
    await group.certify(group.replicas[0]!.root()!)
    const [replica] = group.replicas
    expect(read(group, replica!)).toMatchObject({ lateFromMs: 0, missing: [] })
    replica!.restart()
    expect(lacks(group, replica!)).toBe(3)
    await replica!.acquire()
    expect(lacks(group, replica!)).toBe(0)
  })

  it('a shard that the certificate leaves vacant, and a node without shards, need nothing', async () => {
    const group = new Group({ replicas: 3 })
    await group.certify(new Uint8Array(32))
    expect(read(group, group.replicas[0]!)).toBeUndefined()
    expect(nextPeriodStatus({ coming: () => undefined, certified: () => undefined }, 0)).toBeUndefined()
  })
})

describe('the shards that a node lacks now', () => {
  const now = epochToSecretSpan(100).from
  const shard = (firstEpoch: number, number: number, held: boolean) => ({ firstEpoch, shard: number, held })

  it('a node lacks each shard whose seeds are missing in a period that devices may ask for', () => {
    const shards = [shard(90, 1, false), shard(90, 2, true), shard(100, 1, false), shard(100, 3, false)]
    expect(lackedShards(shards, now)).toEqual([1, 3])
    expect(lackedShards([shard(90, 1, true)], now)).toEqual([])
    expect(lackedShards([], now)).toEqual([])
  })

  it('a node lacks no shard of a later period, unless it has no others', () => {
    const later = shard(101, 4, false)
    expect(lackedShards([shard(90, 1, true), later], now)).toEqual([])
    expect(lackedShards([later], now)).toEqual([4])
  })
})
