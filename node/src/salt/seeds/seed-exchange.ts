/**
 * Requests of /geotrace/seeds/1 to other replicas of a shard. PROTOCOL.md §7.4. Lines come with the hash of all of them; the
 * caller checks the maker's signature, or that they lead to a certified root. A refusal throws its error.
 */
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
  type SeedsReply,
  type SeedsRequest,
} from '@geotrace/core-wasm/wire'
import type { Host } from '../../net/protocol.ts'
import { ownParts, type Replica, type Shard, type SignedLines } from './shard.ts'

interface SeedExchange {
  /** The root that a replica goes by, and its seeds of the parts of both. */
  fetch(replica: Replica, shard: Shard): Promise<SeedsReply>
  offer(replica: Replica, shard: Shard, parts: PartSeed[]): Promise<void>
  /** All lines of a part, as a replica has them. When its signature is that of `known`, these are not sent again. */
  lines(replica: Replica, shard: Shard, part: number, known?: SignedLines): Promise<SignedLines>
}

/** The period that the requests are about. */
interface ExchangePeriod {
  federation: Uint8Array
  firstEpoch: number
  /** Lines of each part. */
  epochs: number
}

export function seedExchange(
  host: Pick<Host, 'request'>,
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
    async fetch(replica, shard) {
      const wanted = ownParts(shard)
        .filter(({ members }) => members.includes(replica.rank))
        .map(({ part }) => part)
      return decodeSeedsReply(await ask(replica, { op: 'fetch', ...about, shard: shard.shard, wanted }))
    },
    async offer(replica, { shard }, parts) {
      decodeDone(await ask(replica, { op: 'offer', ...about, shard, parts }))
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
