/**
 * Compares a node's clock with its peers' clocks: more than 30 s from their median it stops serving. PROTOCOL.md §5.6.
 * A peer of another federation is counted apart, because a volunteer may run with the wrong federation.json.
 * It draws the peers at random, one of each operator, so that nobody can choose which clocks it asks.
 * A clock that runs ahead would give out salts of future blocks and erase secrets that are still needed.
 * Throws CLOCK_SKEWED.
 */
import type { Clock, Random } from '@geotrace/core-wasm'
import {
  decodeTimeReply,
  encodeRosterRequest,
  equalBytes,
  FederationError,
  type PeerAddress,
  ROSTER_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import type { Host } from '../net/protocol.ts'
import { fanOut } from '../platform/fan-out.ts'

export const SKEW_MAX_MS = 30_000
/** Peers asked in one check, of as many operators. Their median is wrong only if half of these operators are. */
const PEERS_ASKED_MAX = 15

/** A peer with the index of its operator. */
type OperatedPeer = PeerAddress & { readonly operator: number }

/** How many peers answered the last check. */
export interface PeerReach {
  readonly asked: number
  /** Peers of this federation only. */
  readonly answered: number
  /** Keys of peers that run with the manifest of another federation. */
  readonly strayed: readonly Uint8Array[]
  /** Unix ms. */
  readonly atMs: number
}

export interface ClockWatch {
  /** Our clock minus the median of our peers' clocks and our own, ms; 0 until a peer has answered. */
  readonly offsetMs: number
  /** The same without our own clock; undefined while no peer has answered the last check. */
  readonly peersOffsetMs: number | undefined
  /** Undefined before the first check is over. */
  readonly reach: PeerReach | undefined
  check(): Promise<void>
  /** Throws CLOCK_SKEWED. */
  assertTrue(): void
}

/** `federation` is the id of this node's federation. */
export function clockWatch(
  host: Pick<Host, 'request'>,
  peers: () => readonly OperatedPeer[],
  clock: Clock,
  random: Random,
  federation: Uint8Array,
): ClockWatch {
  let offsetMs = 0
  let peersOffsetMs: number | undefined
  let reach: PeerReach | undefined
  return {
    get offsetMs() {
      return offsetMs
    },
    get peersOffsetMs() {
      return peersOffsetMs
    },
    get reach() {
      return reach
    },
    async check() {
      // Our own clock counts as one value, so a single peer that answers cannot stop us.
      const offsets = [0]
      const strayed: Uint8Array[] = []
      const asking = drawPeers(peers(), random)
      await fanOut(asking, async (peer) => {
        const asked = clock.now()
        const reply = decodeTimeReply(await host.request(peer, ROSTER_PROTOCOL, encodeRosterRequest({ op: 'time' })))
        if (equalBytes(reply.federation, federation)) offsets.push(provenOffset(asked, reply.time, clock.now()))
        else strayed.push(peer.key)
      })
      offsetMs = Math.round(median(offsets))
      peersOffsetMs = offsets.length > 1 ? Math.round(median(offsets.slice(1))) : undefined
      reach = { asked: asking.length, answered: offsets.length - 1, strayed, atMs: clock.now() }
    },
    assertTrue() {
      if (Math.abs(offsetMs) <= SKEW_MAX_MS) return
      throw new FederationError(
        'CLOCK_SKEWED',
        "this node's clock is more than 30 s from its peers' clocks; set the clock of this machine",
        {
          offsetMs: Math.abs(offsetMs),
        },
      )
    },
  }
}

/** The operators whose peers run with the manifest of another federation. */
export function strayedOperators(
  reach: PeerReach | undefined,
  peers: readonly { key: Uint8Array; operator: string }[],
): string[] {
  return (reach?.strayed ?? [])
    .map((key) => peers.find((peer) => equalBytes(peer.key, key))?.operator ?? 'unknown')
    .sort()
}

/** At most `PEERS_ASKED_MAX` peers in random order, at most one of each operator. */
export function drawPeers<T extends OperatedPeer>(peers: readonly T[], random: Random): T[] {
  const bytes = random(4 * peers.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const drawn = peers.map((peer, i) => ({ peer, at: view.getUint32(4 * i) })).sort((a, b) => a.at - b.at)
  const byOperator = new Map<number, T>()
  for (const { peer } of drawn) if (!byOperator.has(peer.operator)) byOperator.set(peer.operator, peer)
  return [...byOperator.values()].slice(0, PEERS_ASKED_MAX)
}

/**
 * Our clock minus the peer's clock as far as it is certain, ms; 0 while both may be equal. The peer read its clock between
 * our question and its answer. Half the round trip would look like a wrong clock over a slow line or during event-loop lag.
 */
export function provenOffset(askedMs: number, theirsMs: number, answeredMs: number): number {
  if (theirsMs < askedMs) return askedMs - theirsMs
  return Math.min(0, answeredMs - theirsMs)
}

/** The middle value; of two middle values the one nearer zero, so that doubt does not stop a node. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const low = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
  const high = sorted[Math.ceil((sorted.length - 1) / 2)] ?? 0
  return Math.abs(low) <= Math.abs(high) ? low : high
}
