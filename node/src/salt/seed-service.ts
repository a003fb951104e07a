/**
 * Answers /geotrace/seeds/1, by which the replicas of a shard hand each other its seed. PROTOCOL.md §7.4.
 * Replicas are known by their Noise keys. Throws FORBIDDEN to other peers and for a second seed, EPOCH_LOST without a seed.
 */
import { decodeSeedsRequest, encodeDone, encodeSeedReply, equalBytes, FederationError } from '@geotrace/core-wasm/wire'
import type { Handler } from '../net/protocol.ts'
import type { Holdings } from './holdings.ts'
import type { SeedKeeper } from './secrets/seed-keeper.ts'
import { type Replica, wipe } from './shards.ts'

interface SeedServiceInit {
  holdings: Holdings
  keeper: SeedKeeper
  /** A seed in use went to another replica; the caller publishes the handover. */
  handedOver(taker: Replica, shard: number, firstEpoch: number): void
}

export function seedService({ holdings, keeper, handedOver }: SeedServiceInit): Handler {
  return async (bytes, from) => {
    const request = decodeSeedsRequest(bytes)
    const { firstEpoch } = request
    const found = holdings.find(firstEpoch, request.shard)
    const replica = found?.shard.otherReplicas.find(({ key }) => from.key !== undefined && equalBytes(key, from.key))
    if (found === undefined || replica === undefined) throw forbidden()
    const { shards, shard } = found
    if (request.op === 'offer') {
      const isTaken = await shards.take(shard, request.seed, replica.rank)
      wipe(request.seed)
      if (!isTaken) throw forbidden()
      return encodeDone()
    }
    const seed = keeper.seed(shard.shard, firstEpoch)
    if (seed === undefined) {
      throw new FederationError('EPOCH_LOST', 'this node has no seed of that shard', { epoch: firstEpoch })
    }
    const reply = encodeSeedReply(seed)
    wipe(seed)
    if (holdings.certified(firstEpoch) !== undefined) handedOver(replica, shard.shard, firstEpoch)
    return reply
  }
}

function forbidden(): FederationError<'FORBIDDEN'> {
  return new FederationError('FORBIDDEN', 'seeds are for replicas of the shard only, and each takes one seed')
}
