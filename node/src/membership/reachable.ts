/**
 * Which addresses of a peer's presence others may dial. PROTOCOL.md §7.5. Pure.
 * A presence is one member's word. Without these rules one message would make all peers knock at ports of a stranger, or
 * of the private networks in which they run.
 */
import { addressToNetwork, addressToParts, keyToPeerId } from '@geotrace/core-wasm/wire'

/**
 * The addresses of a presence that the roster lists for this peer, and those with a public IP address. A name that the
 * roster does not list is left out, because it may resolve to any address.
 */
export function reachableAddresses(key: Uint8Array, own: readonly string[], listed: readonly string[]): string[] {
  return own.filter((address) => listed.includes(address) || isPublic(address, keyToPeerId(key)))
}

function isPublic(address: string, peerId: string): boolean {
  const { kind, peerId: named = peerId } = addressToParts(address) ?? {}
  return (kind === 'ip4' || kind === 'ip6') && named === peerId && addressToNetwork(address) === 'public'
}
