/**
 * Answers /geotrace/seeds/1, by which the replicas of a shard give each other seeds and lines. PROTOCOL.md §7.4.
 * Replicas are known by their Noise keys. Throws FORBIDDEN to others, to a replica that names another federation, and for an
 * offer of which the node takes no seed. Throws MESSAGE_MALFORMED for a one-time key that is no element. Throws EPOCH_LOST without lines, and BUSY for a second offer of one replica while its
 * first is being checked.
 */
import type { Random } from '@geotrace/core-wasm'
import {
  busy,
  bytesToHex,
  decodeSeedsRequest,
  encodeDone,
  encodeLinesReply,
  encodeSeedsReply,
  equalBytes,
  FederationError,
  HASH_BYTES,
  type SeedsRequest,
} from '@geotrace/core-wasm/wire'
import type { Handler } from '../../net/protocol.ts'
import { assertElements } from '../assert-elements.ts'
import { type WrapGroup, wrapSeeds } from '../secrets/seed-wrap.ts'
import type { SeedRounds } from './seed-rounds.ts'
import type { Replica, Shard } from './shard.ts'
import { type Shards, wipe } from './shards.ts'

/** A shard of a period. */
interface Found {
  readonly shards: Shards
  readonly rounds: Pick<SeedRounds, 'takeOffered'>
  readonly shard: Shard
}
/** The shards that the service answers for. */
interface SeedHoldings {
  find(firstEpoch: number, shard: number): Found | undefined
  /** The certified roster that begins with this epoch. */
  certified(firstEpoch: number): unknown
}
interface SeedServiceInit {
  holdings: SeedHoldings
  group: WrapGroup
  /** Draws the one-time keys of answers. */
  random: Random
  /** A seed in use went to another replica; the caller publishes the handover. */
  handedOver(taker: Replica, shard: number, firstEpoch: number): void
}
/** A request with the shard that it names, and the replica that asks. */
interface Asked<Op extends SeedsRequest['op']> extends Found {
  readonly request: SeedsRequest & { op: Op }
  readonly replica: Replica
}

export function seedService({ holdings, group, random, handedOver }: SeedServiceInit): Handler {
  /** Offers that are being checked, by shard, period and replica. Each costs the lines of its seeds. */
  const offering = new Set<string>()

  const offer = async ({ request, shards, rounds, shard, replica }: Asked<'offer'>): Promise<Uint8Array> => {
    const name = `${shard.shard} ${shards.firstEpoch} ${bytesToHex(replica.key)}`
    if (offering.has(name)) throw busy()
    offering.add(name)
    try {
      if (!(await rounds.takeOffered(shard, replica, request.offered))) throw forbidden()
      return encodeDone()
    } finally {
      offering.delete(name)
    }
  }
  const fetch = ({ request, shards, shard, replica }: Asked<'fetch'>): Uint8Array => {
    const seeds = shards.give(shard, request.wanted, replica.rank)
    const reply = encodeSeedsReply({ root: shard.tree?.root, ...wrapSeeds(group, random, request.takerKey, seeds) })
    for (const seed of seeds) wipe(seed)
    const isInUse = seeds.length > 0 && holdings.certified(shards.firstEpoch) !== undefined
    if (isInUse) handedOver(replica, shard.shard, shards.firstEpoch)
    return reply
  }

  return async (bytes, from) => {
    const request = decodeSeedsRequest(bytes)
    const found = holdings.find(request.firstEpoch, request.shard)
    const replica = found?.shard.otherReplicas.find(({ key }) => from.key !== undefined && equalBytes(key, from.key))
    if (found === undefined || replica === undefined) throw forbidden()
    if (!equalBytes(request.federation, found.shards.roster.federation)) throw forbidden()
    switch (request.op) {
      case 'offer':
        return await offer({ ...found, replica, request })
      case 'fetch':
        assertElements(group, [request.takerKey], bytes)
        return fetch({ ...found, replica, request })
      case 'lines':
        return giveLines({ ...found, replica, request })
    }
  }
}

function giveLines({ request, shards, shard }: Asked<'lines'>): Uint8Array {
  const { part, from, count } = request
  const known = shard.parts[part]?.lines
  if (known === undefined || from + count > shards.epochs) {
    const { firstEpoch } = shards
    throw new FederationError('EPOCH_LOST', 'this node has no such lines: ask another replica', { epoch: firstEpoch })
  }
  const { maker, signature, lines } = known
  return encodeLinesReply({ maker, signature, lines: lines.subarray(from * HASH_BYTES, (from + count) * HASH_BYTES) })
}

function forbidden(): FederationError<'FORBIDDEN'> {
  return new FederationError('FORBIDDEN', 'seeds are for replicas of the shard only, while they choose between seeds')
}
