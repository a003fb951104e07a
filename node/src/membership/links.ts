/**
 * Keeps a peer linked to the other replicas of its shards and to a few neighbours on the ring of keys. PROTOCOL.md §6.6.
 * A missing link is tried every two seconds, a silent link is probed after five (pace.ts). Without this, libp2p never heals
 * a partition (measured), and a connection that the network dropped looks open for minutes.
 * A probe waits three seconds, less than a request; a peer that does not answer the probe is dialled anew.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  bytesToHex,
  decodeTimeReply,
  encodeRosterRequest,
  isFederationError,
  type PeerAddress,
  ROSTER_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import type { Host } from '../net/protocol.ts'
import { fanOut } from '../platform/fan-out.ts'
import { type Pace, REAL_PACE } from './pace.ts'

/** Answering TIME takes milliseconds and a round trip around the world 300 ms; a busy machine may take one or two seconds. */
const PROBE_WITHIN_MS = 3_000
/** In the first of `TURNS` turns both sides dial, in the others only the side whose key comes first. */
const TURNS = 3
/** Neighbours in one direction of the ring: both directions together are gossipsub's mesh of six. */
const NEIGHBOURS = 3
/** With at most this many others, every peer is linked to every other peer. */
const ALL_UP_TO = 8

interface LinksInit {
  host: Host
  clock: Clock
  /** Both functions return the same array while nothing changes, because the choice of links is cached by it. */
  others(): readonly PeerAddress[]
  otherReplicas(): readonly PeerAddress[]
  pace?: Pace
}
export interface Links {
  start(): void
  /** The peers that this peer should be linked to, and whether it is. */
  state(): { key: Uint8Array; linked: boolean }[]
  stop(): void
}

export function keepLinks({ host, clock, others, otherReplicas, pace = REAL_PACE }: LinksInit): Links {
  const probed = new Map<string, number>()
  const missed = new Set<string>()
  const trying = new Set<string>()
  const own = bytesToHex(host.key)
  let stopped = false
  let turn = 0
  let cancel = (): void => {}

  const wanted = wantedLinks(host.key, others, otherReplicas)
  const isDue = ([name, { key }]: readonly [string, PeerAddress]): boolean => {
    if (trying.has(name)) return false
    if (!host.isLinked(key)) return true
    return (
      Math.abs(clock.now() - (probed.get(name) ?? 0)) >= pace.probeMs &&
      host.hasReceivedFrom?.(key, pace.probeMs) !== true
    )
  }
  const check = async (name: string, peer: PeerAddress): Promise<void> => {
    if (host.isLinked(peer.key)) {
      probed.set(name, clock.now())
      // A probe that times out closes the connection. If another connection is open, the next turn probes that one.
      if (await isAnswering(name, peer)) return
      probed.delete(name)
    }
    if (host.isLinked(peer.key) || !isOurTurn(name)) return
    missed.delete(name)
    await host.link(peer)
  }
  const isAnswering = async (name: string, peer: PeerAddress): Promise<boolean> => {
    // The second probe uses the timeout of a request, because our own event-loop lag may have caused the first timeout.
    const options = missed.delete(name) ? {} : { withinMs: PROBE_WITHIN_MS }
    try {
      decodeTimeReply(await host.request(peer, ROSTER_PROTOCOL, encodeRosterRequest({ op: 'time' }), options))
      return true
    } catch (error) {
      if (isFederationError(error, 'PEER_TIMEOUT')) {
        missed.add(name)
        return false
      }
      throw error
    }
  }
  const guarded = async ([name, peer]: readonly [string, PeerAddress]): Promise<void> => {
    trying.add(name)
    await check(name, peer).finally(() => trying.delete(name))
  }
  /** After a partition both sides miss the link. One handshake is enough, unless the side with the first key cannot dial. */
  const isOurTurn = (name: string): boolean => turn % TURNS === 1 || own < name
  const tick = (): void => {
    if (stopped) return
    turn++
    host.gossip.renew()
    // Not awaited, because a peer that does not answer must not delay the next turn.
    void fanOut([...wanted()].filter(isDue), guarded)
    cancel = clock.setTimer(tick, pace.linkMs)
  }
  return {
    start: tick,
    state: () => [...wanted().values()].map(({ key }) => ({ key, linked: host.isLinked(key) })),
    stop() {
      stopped = true
      cancel()
    },
  }
}

/** Chooses the links, by key in hex. Chooses again only when one of the two arrays is another one. */
function wantedLinks(key: Uint8Array, others: LinksInit['others'], otherReplicas: LinksInit['otherReplicas']) {
  let all: readonly PeerAddress[] | undefined
  let close: readonly PeerAddress[] | undefined
  let links: ReadonlyMap<string, PeerAddress> = new Map()
  return (): ReadonlyMap<string, PeerAddress> => {
    const [nowAll, nowClose] = [others(), otherReplicas()]
    if (nowAll !== all || nowClose !== close) {
      ;[all, close] = [nowAll, nowClose]
      links = chooseLinks(key, all, close)
    }
    return links
  }
}

/** Replicas are looked up in `all`, because an older roster may name an address that its member has left. */
function chooseLinks(
  key: Uint8Array,
  all: readonly PeerAddress[],
  otherReplicas: readonly PeerAddress[],
): ReadonlyMap<string, PeerAddress> {
  const named = new Map(all.map((peer) => [bytesToHex(peer.key), peer]))
  if (all.length <= ALL_UP_TO) return named
  const chosen = [...otherReplicas, ...ringNeighbours(key, all)].map((peer) => bytesToHex(peer.key))
  return new Map(chosen.flatMap((name) => (named.has(name) ? [[name, named.get(name)!]] : [])))
}

/** The peers with the next `NEIGHBOURS` keys in each direction of the ring. */
export function ringNeighbours(key: Uint8Array, peers: readonly PeerAddress[]): PeerAddress[] {
  if (peers.length === 0) return []
  const self = bytesToHex(key)
  const ring = peers.map((peer) => ({ peer, name: bytesToHex(peer.key) })).sort((a, b) => (a.name < b.name ? -1 : 1))
  const after = ring.findIndex(({ name }) => name > self)
  const at = after < 0 ? ring.length : after
  const near = Array.from({ length: NEIGHBOURS }, (_, i) => [at + i, at - 1 - i]).flat()
  return [...new Set(near.map((i) => ring[((i % ring.length) + ring.length) % ring.length]!.peer))]
}
