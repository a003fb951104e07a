/**
 * Requests of /geotrace/seeds/1 to other replicas of a shard. PROTOCOL.md §7.4. Seeds come wrapped to this request. Lines come with the hash of all of them; the
 * caller checks the maker's signature, or that they lead to a certified root. A refusal throws its error.
 */
import type { Random } from '@geotrace/core-wasm'
import {
  decodeDone,
  decodeLinesReply,
  decodeSeedsReply,
  encodeSeedsRequest,
  equalBytes,
  FederationError,
  HASH_BYTES,
  keyToPeerId,
  LINES_PER_REPLY_MAX,
  type LinesReply,
  type PartSeed,
  partLinesToHash,
  SEEDS_PROTOCOL,
  type SeedsRequest,
} from '@geotrace/core-wasm/wire'
import type { Host } from '../../net/protocol.ts'
import { seedTaker, type WrapGroup } from '../secrets/seed-wrap.ts'
import { type Replica, type Shard, type SignedLines, sharedParts } from './shard.ts'

interface SeedExchange {
  /** The root that a replica goes by, and its seeds of the parts of both, or of `only` these. The caller wipes the seeds. */
  fetch(replica: Replica, shard: Shard, only?: readonly number[]): Promise<FetchedSeeds>
  /** Tells a replica which seeds this one made. The replica fetches them before it answers. */
  offer(replica: Replica, shard: Shard, offered: number[]): Promise<void>
  /** All lines of a part, as a replica has them. When its signature is that of `known`, these are not sent again. */
  lines(replica: Replica, shard: Shard, part: number, known?: SignedLines): Promise<SignedLines>
}

interface FetchedSeeds {
  readonly root: Uint8Array | undefined
  readonly seeds: readonly PartSeed[]
}
interface ExchangeInit {
  host: Pick<Host, 'request'>
  group: WrapGroup
  /** Draws the one-time keys. */
  random: Random
}
/** The period that the requests are about. */
interface ExchangePeriod {
  federation: Uint8Array
  firstEpoch: number
  /** Lines of each part. */
  epochs: number
}

export function seedExchange(
  { host, group, random }: ExchangeInit,
  { federation, firstEpoch, epochs }: ExchangePeriod,
): SeedExchange {
  const about = { federation, firstEpoch }
  const ask = (replica: Replica, request: SeedsRequest): Promise<Uint8Array> =>
    host.request(replica, SEEDS_PROTOCOL, encodeSeedsRequest(request))
  const askLines = async (replica: Replica, { shard }: Shard, part: number, from: number, count: number) => {
    const reply = decodeLinesReply(await ask(replica, { op: 'lines', ...about, shard, part, from, count }))
    if (reply.lines.length !== count * HASH_BYTES) throw lied(replica, `${count} lines`)
    return reply
  }
  return {
    async fetch(replica, shard, only) {
      const wanted = sharedParts(shard, replica).filter((part) => only?.includes(part) ?? true)
      const taker = seedTaker(group, random)
      try {
        const request = { op: 'fetch', ...about, shard: shard.shard, wanted, takerKey: taker.key } as const
        const reply = decodeSeedsReply(await ask(replica, request))
        if (reply.parts.length > 0 && !group.isElement(reply.giverKey)) throw lied(replica, 'a one-time key')
        return { root: reply.root, seeds: taker.open(reply) }
      } finally {
        taker.end()
      }
    },
    async offer(replica, { shard }, offered) {
      decodeDone(await ask(replica, { op: 'offer', ...about, shard, offered }))
    },
    async lines(replica, shard, part, known) {
      if (known !== undefined && isSame(await askLines(replica, shard, part, 0, 0), known)) return known
      const lines = new Uint8Array(epochs * HASH_BYTES)
      let first: LinesReply | undefined
      for (let from = 0; from < epochs; from += LINES_PER_REPLY_MAX) {
        const reply = await askLines(replica, shard, part, from, Math.min(LINES_PER_REPLY_MAX, epochs - from))
        first ??= reply
        if (!isSame(reply, first)) throw lied(replica, 'lines of one seed')
        lines.set(reply.lines, from * HASH_BYTES)
      }
      const { maker, signature } = first!
      return { maker, signature, hash: partLinesToHash(lines), lines }
    },
  }
}

function isSame(a: Pick<LinesReply, 'maker' | 'signature'>, b: Pick<LinesReply, 'maker' | 'signature'>): boolean {
  return a.maker === b.maker && equalBytes(a.signature, b.signature)
}

function lied({ key }: Replica, expected: string): FederationError<'PEER_LIED'> {
  const peer = keyToPeerId(key)
  return new FederationError('PEER_LIED', `expected ${expected} from ${peer}, got others`, { peer })
}
