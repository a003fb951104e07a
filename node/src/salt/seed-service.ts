/**
 * Answers /geotrace/seeds/1: the replicas of a shard hand each other its seed. PROTOCOL.md §7.4.
 * Known by their Noise keys; anybody else, and any second seed, is FORBIDDEN. EPOCH_LOST when there is none to give.
 */
import { decodeSeedsRequest, encodeDone, encodeSeedReply, equalBytes, FederationError } from '@geotrace/core-wasm/wire'
import type { Handler } from '../net/protocol.ts'
import type { SeedKeeper } from './seed-keeper.ts'
import { type Shards, wipe } from './shards.ts'

export interface SeedServiceInit {
  shards: Shards
  keeper: SeedKeeper
}

export function seedService({ shards, keeper }: SeedServiceInit): Handler {
  return async (bytes, from) => {
    const request = decodeSeedsRequest(bytes)
    const shard = shards.find(request.shard)
    const isMate = shard?.mates.some(({ key }) => from.key !== undefined && equalBytes(key, from.key)) ?? false
    if (shard === undefined || !isMate || request.firstEpoch !== shards.firstEpoch) throw forbidden()
    if (request.op === 'offer') {
      const isTaken = await shards.take(shard, request.seed)
      wipe(request.seed)
      if (!isTaken) throw forbidden()
      // The one who made it signs when a majority has it; whoever takes it may sign at once.
      if (!shard.isMine) await shards.sign(shard)
      return encodeDone()
    }
    const seed = keeper.seed(shard.shard, shards.firstEpoch)
    if (seed === undefined) {
      throw new FederationError('EPOCH_LOST', 'no seed of this shard here', { epoch: shards.firstEpoch })
    }
    const reply = encodeSeedReply(seed)
    wipe(seed)
    return reply
  }
}

function forbidden(): FederationError<'FORBIDDEN'> {
  return new FederationError('FORBIDDEN', 'only for replicas of the shard, and one seed for each')
}
