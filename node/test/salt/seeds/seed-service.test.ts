import { simulatedClock } from '@geotrace/core-wasm'
import { GENERATOR, loadGroup } from '@geotrace/core-wasm/voprf'
import {
  decodeLinesReply,
  decodeSeedsReply,
  decodeSeedsRequest,
  encodeSeedsReply,
  encodeSeedsRequest,
  isFederationError,
  keyToShards,
  SEEDS_PROTOCOL,
  type SeedsRequest,
  shardToReplicas,
} from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { nativeSigner } from '../../../src/platform/native-signer.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { seedTaker, wrapSeeds } from '../../../src/salt/secrets/seed-wrap.ts'
import { cast, Stage } from '../federation.ts'
import { foundWith } from '../founded.ts'
import { Group } from './replica.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const [MALFORMED, FORBIDDEN] = [1, 13]
const group = await loadGroup()
const stage = new Stage()
afterEach(() => stage.end())

describe('the seed service', () => {
  it('a node gives a seed to other replicas of its shard only, and accepts no second seed', async () => {
    const clock = simulatedClock(NOW)
    const players = await cast(5, NOW)
    const { nodes, client, certified } = await foundWith(stage, players, clock)
    const { firstEpoch, federation } = certified.roster
    const [first, second] = shardToReplicas(certified.roster, 0)
    const other = players.secrets.findIndex(
      (secret) => !keyToShards(certified.roster, nativeSigner(secret).key).includes(0),
    )
    const place = { federation, shard: 0, firstEpoch }
    const fetch = encodeSeedsRequest({ op: 'fetch', ...place, wanted: [0], takerKey: GENERATOR })
    const offer = encodeSeedsRequest({ op: 'offer', ...place, offered: [0] })
    expect((await client.request(first!, SEEDS_PROTOCOL, fetch))[0]).toBe(FORBIDDEN)
    if (other >= 0) {
      await nodes[other]!.stop()
      const stranger = await stage.host(clock, players.secrets[other]!)
      expect((await stranger.request(first!, SEEDS_PROTOCOL, fetch))[0]).toBe(FORBIDDEN)
    }
    const index = nodes.findIndex(({ key }) => Buffer.compare(key, second!.key) === 0)
    await nodes[index]!.stop()
    const replica = await stage.host(clock, players.secrets[index]!)
    expect((await replica.request(first!, SEEDS_PROTOCOL, fetch))[0]).toBe(0)
    const bad = encodeSeedsRequest({ op: 'fetch', ...place, wanted: [0], takerKey: new Uint8Array(32) })
    expect((await replica.request(first!, SEEDS_PROTOCOL, bad))[0]).toBe(MALFORMED)
    // The replica offers another seed of the part. The first fetches it and keeps its own.
    let fetched = 0
    await replica.serve(SEEDS_PROTOCOL, async (bytes) => {
      const request = decodeSeedsRequest(bytes)
      if (request.op !== 'fetch') throw new Error('expected a fetch')
      fetched++
      const seed = { part: 0, epoch: firstEpoch, state: systemRandom(32), quotaKey: systemRandom(32) }
      const seeds = [{ ...seed, maker: 0, signature: systemRandom(64) }]
      return encodeSeedsReply({ root: undefined, ...wrapSeeds(group, systemRandom, request.takerKey, seeds) })
    })
    expect((await replica.request(first!, SEEDS_PROTOCOL, offer))[0]).toBe(FORBIDDEN)
    expect(fetched).toBe(1)
    const elsewhere = encodeSeedsRequest({
      ...{ op: 'fetch', federation, shard: 0, firstEpoch: firstEpoch + 1, wanted: [0] },
      takerKey: GENERATOR,
    })
    expect((await replica.request(first!, SEEDS_PROTOCOL, elsewhere))[0]).toBe(FORBIDDEN)
    const head = { federation: systemRandom(32), shard: 0, firstEpoch }
    for (const request of [
      { op: 'fetch' as const, ...head, wanted: [0], takerKey: GENERATOR },
      { op: 'lines' as const, ...head, part: 0, from: 0, count: 1 },
    ]) {
      const stray = encodeSeedsRequest(request)
      expect((await replica.request(first!, SEEDS_PROTOCOL, stray))[0], request.op).toBe(FORBIDDEN)
    }
  })

  it('a replica gets the seeds of its own parts only, takes seeds from members only, and gets the lines of all parts', async () => {
    const group = new Group({ replicas: 3, threshold: 2 })
    const [first, second, third] = group.replicas
    const { firstEpoch, federation } = group.roster
    for (let round = 0; round < 3; round++) await group.round()
    const ask = (request: Omit<SeedsRequest & { op: 'fetch' }, 'federation' | 'shard' | 'firstEpoch'>) =>
      second!.serve(encodeSeedsRequest({ ...request, federation, shard: 0, firstEpoch }), third!)
    // The parts are 0-1, 0-2 and 1-2.
    const taker = seedTaker(group.group, systemRandom)
    const reply = decodeSeedsReply(await ask({ op: 'fetch', wanted: [0, 1, 2], takerKey: taker.key }))
    expect(reply.parts.map(({ part }) => part)).toEqual([2])
    expect(reply.root).toEqual(second!.root())
    expect(taker.open(reply).map(({ state }) => state)).toEqual([second!.seed(2)])
    expect(decodeSeedsReply(await ask({ op: 'fetch', wanted: [0, 1], takerKey: taker.key })).parts).toEqual([])
    for (const { part, lines } of first!.shard.parts) {
      const asked = { op: 'lines', federation, shard: 0, firstEpoch, part, from: 1, count: 1 } as const
      const given = decodeLinesReply(await second!.serve(encodeSeedsRequest(asked), third!))
      expect(given).toEqual({ ...pick(lines!), lines: lines!.lines.slice(32) })
    }
    const beyond = encodeSeedsRequest({ op: 'lines', federation, shard: 0, firstEpoch, part: 0, from: 1, count: 2 })
    const refusal = await second!.serve(beyond, third!)
    expect(codeOf(() => decodeLinesReply(refusal))).toBe('EPOCH_LOST')

    // Before anybody signed, a replica refuses a seed of a part from a replica outside the part.
    const fresh = new Group({ replicas: 3, threshold: 2 })
    await fresh.replicas[0]!.make()
    const offer = encodeSeedsRequest({
      op: 'offer',
      federation: fresh.roster.federation,
      shard: 0,
      firstEpoch: fresh.roster.firstEpoch,
      offered: [0],
    })
    expect(codeOf(await fresh.replicas[1]!.serve(offer, fresh.replicas[2]!))).toBe(FORBIDDEN)
    expect(fresh.replicas[1]!.seed(0)).toBeUndefined()
    expect(codeOf(await fresh.replicas[1]!.serve(offer, fresh.replicas[0]!))).toBe(0)
    expect(fresh.replicas[1]!.seed(0)).toEqual(fresh.replicas[0]!.seed(0))
  })
})

const pick = ({ maker, signature }: { maker: number; signature: Uint8Array }) => ({ maker, signature })

/** The status of a reply, or the code of the error that `task` throws. */
function codeOf(task: Uint8Array | (() => unknown)): number | string {
  if (typeof task !== 'function') return task[0]!
  try {
    task()
    return 'OK'
  } catch (error) {
    return isFederationError(error) ? error.code : String(error)
  }
}
