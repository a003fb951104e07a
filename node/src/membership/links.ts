/**
 * Keeps a peer linked to those it needs: its shard-otherReplicas and a few neighbours on the ring of keys. PROTOCOL.md §6.6.
 * A link is tried every two seconds and probed when nothing came on it for five (pace.ts): left alone, libp2p never
 * heals a partition (measured), and a connection that the network forgot looks open for minutes. So a probe has less
 * patience than a request: who does not say the time within three seconds is dialled anew.
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

/** To say the time takes milliseconds and the way around the world 300; a busy machine may take a second or two. */
const PROBE_WITHIN_MS = 3_000
/** In the first of so many turns both sides dial, in the others the one whose key comes first. */
const TURNS = 3
/** Neighbours on the ring in one direction: with both, gossipsub's mesh of six. */
const NEIGHBOURS = 3
/** In a federation this small everybody is linked to everybody. */
const ALL_UP_TO = 8

export interface LinksInit {
  host: Host
  clock: Clock
  /** Both lists the same while nothing changes. */
  others(): readonly PeerAddress[]
  otherReplicas(): readonly PeerAddress[]
  pace?: Pace
}
export interface Links {
  start(): void
  /** Those it should be linked to, and whether it is. */
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

  let known: Wanted | undefined

  const wanted = (): Wanted['peers'] => {
    const [all, close] = [others(), otherReplicas()]
    if (known?.all !== all || known.close !== close) known = { all, close, peers: chooseLinks(host.key, all, close) }
    return known.peers
  }
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
      // A probe that times out closes the connection. If there is another, the next turn probes that.
      if (await isAnswering(name, peer)) return
      probed.delete(name)
    }
    if (host.isLinked(peer.key) || !isOurTurn(name)) return
    missed.delete(name)
    await host.link(peer)
  }
  const isAnswering = async (name: string, peer: PeerAddress): Promise<boolean> => {
    // The second time with the patience of a request: we may be the one who is late.
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
  /** When a partition heals both sides miss the link: one handshake is enough, unless that side cannot dial. */
  const isOurTurn = (name: string): boolean => turn % TURNS === 1 || own < name
  const tick = (): void => {
    if (stopped) return
    turn++
    host.gossip.renew()
    // Not waited for: who does not answer must not delay the others.
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

/** Chosen anew when there are others or other otherReplicas. */
interface Wanted {
  readonly all: readonly PeerAddress[]
  readonly close: readonly PeerAddress[]
  /** By key, hex. */
  readonly peers: ReadonlyMap<string, PeerAddress>
}

/** Mates where they are now: a roster may name an address that its member has left. */
function chooseLinks(
  key: Uint8Array,
  all: readonly PeerAddress[],
  otherReplicas: readonly PeerAddress[],
): Wanted['peers'] {
  const named = new Map(all.map((peer) => [bytesToHex(peer.key), peer]))
  if (all.length <= ALL_UP_TO) return named
  const chosen = [...otherReplicas, ...ringNeighbours(key, all)].map((peer) => bytesToHex(peer.key))
  return new Map(chosen.flatMap((name) => (named.has(name) ? [[name, named.get(name)!]] : [])))
}

/** The next few keys in each direction. */
export function ringNeighbours(key: Uint8Array, peers: readonly PeerAddress[]): PeerAddress[] {
  if (peers.length === 0) return []
  const self = bytesToHex(key)
  const ring = peers.map((peer) => ({ peer, name: bytesToHex(peer.key) })).sort((a, b) => (a.name < b.name ? -1 : 1))
  const after = ring.findIndex(({ name }) => name > self)
  const at = after < 0 ? ring.length : after
  const near = Array.from({ length: NEIGHBOURS }, (_, i) => [at + i, at - 1 - i]).flat()
  return [...new Set(near.map((i) => ring[((i % ring.length) + ring.length) % ring.length]!.peer))]
}
