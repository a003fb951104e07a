/**
 * Who is in the federation now, and where: by the newest roster, before the founding by the manifest; with the
 * addresses that its presence told last. PROTOCOL.md §4.1, §7.5.
 */
import {
  bytesToHex,
  isGone,
  type Manifest,
  manifestToRoster,
  type PeerAddress,
  type Roster,
  type RosterPeer,
} from '@geotrace/core-wasm/wire'

export interface Peer extends PeerAddress {
  /** Index into the operators of that roster. */
  readonly operator: number
  readonly role: 'member' | 'newcomer' | 'central'
}

export interface Peers {
  /** The same list while nothing changes; so is that of `others`. */
  all(): readonly Peer[]
  has(key: Uint8Array): boolean
  withKey(key: Uint8Array | undefined): Peer | undefined
  /** All but the one with this key. */
  others(key: Uint8Array): readonly Peer[]
}

export interface PeersInit {
  manifest: Manifest
  newest(): Roster | undefined
  /** What a peer told of itself. */
  addresses(key: Uint8Array): readonly string[]
  /** Proven liars are left alone at once. */
  isConvicted(key: Uint8Array): boolean
  /** Another number whenever one of these two says something else. */
  told(): number
}

export function livePeers({ manifest, newest, addresses, isConvicted, told }: PeersInit): Peers {
  const founding = manifestToRoster(manifest)
  // Asked for several times a second, and as a rule nothing has changed.
  let known: Known | undefined
  const live = (peer: Peer): Peer => {
    const own = addresses(peer.key)
    // The usual case: it is where the roster says.
    if (own.every((address, i) => address === peer.addresses[i])) return peer
    return { ...peer, addresses: merge(own, peer.addresses) }
  }
  const now = (): Known => {
    const [roster, version] = [newest() ?? founding, told()]
    if (known?.roster === roster && known.version === version) return known
    const listed = known?.roster === roster ? known.listed : rosterToPeers(roster)
    const found = [...listed].flatMap(([name, peer]) => (isConvicted(peer.key) ? [] : [[name, live(peer)] as const]))
    known = { roster, version, listed, byName: new Map(found), all: found.map(([, peer]) => peer), butFor: new Map() }
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
  /** As the roster has them, by key. */
  readonly listed: ReadonlyMap<string, Peer>
  /** Without liars, where they are now. */
  readonly byName: ReadonlyMap<string, Peer>
  readonly all: readonly Peer[]
  /** All but one; at most as many as there are peers. */
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

function merge(told: readonly string[], listed: readonly string[]): string[] {
  return [...new Set([...told, ...listed])]
}
