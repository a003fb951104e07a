/**
 * The peers of a manifest: its members in order, then the central peer. PROTOCOL.md §4.1.
 */
import { bytesToHex, type Manifest, type PeerEntry, peerIdToKey } from '@geotrace/core-wasm/wire'
import type { PeerAddress } from '../net/protocol.ts'

export interface Peer extends PeerAddress {
  /** Index into the manifest's operators. */
  readonly operator: number
  /** Index into its members; undefined for the central peer. */
  readonly member: number | undefined
}

export interface Peers {
  readonly all: readonly Peer[]
  withKey(key: Uint8Array | undefined): Peer | undefined
  /** All but the one with this key. */
  others(key: Uint8Array): Peer[]
}

export function manifestToPeers({ members, central, operators }: Manifest): Peers {
  const toPeer = ({ peerId, operator, addresses }: PeerEntry, member: number | undefined): Peer => ({
    key: peerIdToKey(peerId),
    addresses,
    operator: operators.findIndex(({ name }) => name === operator),
    member,
  })
  const all = [...members.map((entry, i) => toPeer(entry, i)), toPeer(central, undefined)]
  const byKey = new Map(all.map((peer) => [bytesToHex(peer.key), peer]))
  return {
    all,
    withKey: (key) => (key === undefined ? undefined : byKey.get(bytesToHex(key))),
    others: (key) => all.filter((peer) => bytesToHex(peer.key) !== bytesToHex(key)),
  }
}
