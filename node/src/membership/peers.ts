/**
 * The current peers of the federation and their addresses. PROTOCOL.md §4.1, §7.5.
 * The newest roster lists them, before the founding the manifest. Addresses of a peer's newest presence come first, apart
 * from private ones that the roster does not list.
 */
import {
  bytesToHex,
  isGone,
  type Manifest,
  manifestToRoster,
  type Roster,
  type RosterPeer,
} from '@geotrace/core-wasm/wire'
import type { DialTarget } from '../net/protocol.ts'
import { reachableAddresses } from './reachable.ts'

export interface Peer extends DialTarget {
  /** Index into the operators of that roster. */
  readonly operator: number
  readonly role: 'member' | 'newcomer' | 'central'
}

export interface Peers {
  /** `all` and `others` return the same array while nothing changes. */
  all(): readonly Peer[]
  has(key: Uint8Array): boolean
  withKey(key: Uint8Array | undefined): Peer | undefined
  /** All peers except the one with this key. */
  others(key: Uint8Array): readonly Peer[]
}

interface PeersInit {
  manifest: Manifest
  newest(): Roster | undefined
  /** Addresses of the peer's newest presence; empty without one. */
  addresses(key: Uint8Array): readonly string[]
  /** A peer with proven evidence against it is left out at once. */
  isConvicted(key: Uint8Array): boolean
  /** Another number whenever `addresses` or `isConvicted` would return something else. */
  version(): number
}

export function livePeers({ manifest, newest, addresses, isConvicted, version }: PeersInit): Peers {
  const founding = manifestToRoster(manifest)
  // Callers ask several times a second, and most of the time nothing has changed.
  let known: Known | undefined
  const live = (peer: Peer): Peer => {
    const own = reachableAddresses(peer.key, addresses(peer.key), peer.addresses)
    // The usual case: the presence gives the addresses that the roster lists.
    if (own.every((address, i) => address === peer.addresses[i])) return peer
    const unlisted = own.filter((address) => !peer.addresses.includes(address))
    return { ...peer, addresses: merge(own, peer.addresses), unlisted }
  }
  const now = (): Known => {
    const [roster, current] = [newest() ?? founding, version()]
    if (known?.roster === roster && known.version === current) return known
    const listed = known?.roster === roster ? known.listed : rosterToPeers(roster)
    const found = [...listed].flatMap(([name, peer]) => (isConvicted(peer.key) ? [] : [[name, live(peer)] as const]))
    const all = found.map(([, peer]) => peer)
    known = { roster, version: current, listed, byName: new Map(found), all, butFor: new Map() }
    return known
  }
  return {
    all: () => now().all,
    has: (key) => now().byName.has(bytesToHex(key)),
    withKey: (key) => (key === undefined ? undefined : now().byName.get(bytesToHex(key))),
    others(key) {
      const { all, byName, butFor } = now()
      const name = bytesToHex(key)
      const self = byName.get(name)
      const others = butFor.get(self) ?? all.filter((peer) => peer !== self)
      butFor.set(self, others)
      return others
    },
  }
}

interface Known {
  readonly roster: Roster
  readonly version: number
  /** The peers of the roster, by key in hex. */
  readonly listed: ReadonlyMap<string, Peer>
  /** The same without convicted peers and with current addresses. */
  readonly byName: ReadonlyMap<string, Peer>
  readonly all: readonly Peer[]
  /** The lists that `others` returned; at most one for each peer and one for strangers. */
  readonly butFor: Map<Peer | undefined, readonly Peer[]>
}

function rosterToPeers(roster: Roster): Map<string, Peer> {
  const toPeer =
    (role: Peer['role']) =>
    ({ key, operator, addresses }: RosterPeer): Peer => ({ key, operator, addresses, role })
  const newcomers = [...roster.newcomers, ...roster.admitted].filter(({ key }) => !isGone(roster, key))
  const peers = [
    ...roster.members.map(toPeer('member')),
    ...newcomers.map(toPeer('newcomer')),
    toPeer('central')(roster.central),
  ]
  return new Map(peers.map((peer) => [bytesToHex(peer.key), peer]))
}

function merge(own: readonly string[], listed: readonly string[]): string[] {
  return [...new Set([...own, ...listed])]
}
