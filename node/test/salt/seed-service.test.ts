import { simulatedClock } from '@geotrace/core-wasm'
import { encodeSeedsRequest, keyToShards, SEEDS_PROTOCOL, shardToReplicas } from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { nativeSigner } from '../../src/platform/native-signer.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { cast, Stage } from './federation.ts'
import { foundWith } from './founded.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const stage = new Stage()
afterEach(() => stage.end())

describe('the seed service', () => {
  it('a node gives a seed to other replicas of its shard only, and accepts no second seed', async () => {
    const clock = simulatedClock(NOW)
    const players = await cast(5, NOW)
    const { nodes, client, certified } = await foundWith(stage, players, clock)
    const { firstEpoch } = certified.roster
    const [first, second] = shardToReplicas(certified.roster, 0)
    const other = players.secrets.findIndex(
      (secret) => !keyToShards(certified.roster, nativeSigner(secret).key).includes(0),
    )
    const fetch = encodeSeedsRequest({ op: 'fetch', shard: 0, firstEpoch })
    const seed = { epoch: firstEpoch, state: systemRandom(32), quotaKey: systemRandom(32) }
    const offer = encodeSeedsRequest({ op: 'offer', shard: 0, firstEpoch, seed })
    const FORBIDDEN = 13
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
    expect((await replica.request(first!, SEEDS_PROTOCOL, offer))[0]).toBe(FORBIDDEN)
    const elsewhere = encodeSeedsRequest({ op: 'fetch', shard: 0, firstEpoch: firstEpoch + 1 })
    expect((await replica.request(first!, SEEDS_PROTOCOL, elsewhere))[0]).toBe(FORBIDDEN)
  })
})
