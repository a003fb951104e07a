/**
 * Who is in the federation now, and where: by the newest roster, before the founding by the manifest; with the
 * addresses that its presence told last. PROTOCOL.md §4.1, §7.5.
 */
import {
  bytesToHex,
  isGone,
  type Manifest,
  manifestToRoster,
  type Roster,
  type RosterPeer,
} from '@geotrace/core-wasm/wire'
import type { PeerAddress } from '../net/protocol.ts'

export interface Peer extends PeerAddress {
  /** Index into the operators of that roster. */
  readonly operator: number
  readonly role: 'member' | 'newcomer' | 'central'
}

export interface Peers {
  all(): readonly Peer[]
  has(key: Uint8Array): boolean
  withKey(key: Uint8Array | undefined): Peer | undefined
  /** All but the one with this key. */
  others(key: Uint8Array): Peer[]
}

export interface PeersInit {
  manifest: Manifest
  newest(): Roster | undefined
  /** What a peer told of itself. */
  addresses(key: Uint8Array): readonly string[]
  /** Proven liars are left alone at once. */
  isConvicted(key: Uint8Array): boolean
}

export function livePeers({ manifest, newest, addresses, isConvicted }: PeersInit): Peers {
  const founding = manifestToRoster(manifest)
  let known: { roster: Roster; peers: Map<string, Peer> } | undefined
  const map = (): Map<string, Peer> => {
    const roster = newest() ?? founding
    if (known?.roster !== roster) known = { roster, peers: rosterToPeers(roster) }
    return known.peers
  }
  const live = (peer: Peer): Peer => {
    const told = addresses(peer.key)
    // The usual case: it is where the roster says.
    if (told.every((address, i) => address === peer.addresses[i])) return peer
    return { ...peer, addresses: merge(told, peer.addresses) }
  }
  const allBut = (own: string | undefined): Peer[] => {
    const found: Peer[] = []
    for (const [name, peer] of map()) if (name !== own && !isConvicted(peer.key)) found.push(live(peer))
    return found
  }
  return {
    all: () => allBut(undefined),
    has: (key) => map().has(bytesToHex(key)) && !isConvicted(key),
    withKey(key) {
      const peer = key === undefined ? undefined : map().get(bytesToHex(key))
      return peer === undefined || isConvicted(peer.key) ? undefined : live(peer)
    },
    others: (key) => allBut(bytesToHex(key)),
  }
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
