/**
 * Which addresses of a peer's presence others may dial. PROTOCOL.md §7.5. Pure.
 * A presence is one member's word. Without these rules one message would make all peers knock at ports of a stranger, or
 * of the private networks in which they run.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { parseIPv4, parseIPv6 } from '@chainsafe/is-ip/parse'
import { IpNet } from '@chainsafe/netmask'
import { keyToPeerId } from '@geotrace/core-wasm/wire'

/** An IP address, a TCP port, a transport that peers dial or that clients use, and perhaps the peer id. */
const FORM =
  /^\/(ip4|ip6)\/([0-9a-f.:]+)\/tcp\/([1-9]\d{0,4})(?:\/ws|\/wss|\/tls\/ws|\/tls\/http|\/https)?(?:\/p2p\/(\w+))?$/i
const PORT_MAX = 65_535
/** IPv4 ranges that are not public: RFC 6890 without the ranges of examples, which nobody routes. */
const PRIVATE_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/3',
].map((range) => new IpNet(range))
/** The only IPv6 range that is public, and in it the two that embed another address: Teredo and 6to4. */
const PUBLIC_V6 = new IpNet('2000::/3')
const EMBEDDING_V6 = ['2001::/32', '2002::/16'].map((range) => new IpNet(range))

/**
 * The addresses of a presence that the roster lists for this peer, and those with a public IP address. A name that the
 * roster does not list is left out, because it may resolve to any address.
 */
export function reachableAddresses(key: Uint8Array, own: readonly string[], listed: readonly string[]): string[] {
  return own.filter((address) => listed.includes(address) || isPublic(address, keyToPeerId(key)))
}

function isPublic(address: string, peerId: string): boolean {
  const [, kind, ip = '', port, named = peerId] = FORM.exec(address) ?? []
  if (kind === undefined || Number(port) > PORT_MAX || named !== peerId) return false
  return kind.toLowerCase() === 'ip4' ? isPublicV4(ip) : isPublicV6(ip)
}

function isPublicV4(ip: string): boolean {
  const bytes = isIPv4(ip) ? parseIPv4(ip) : undefined
  return bytes !== undefined && !PRIVATE_V4.some((range) => range.contains(bytes))
}

function isPublicV6(ip: string): boolean {
  const bytes = isIPv6(ip) ? parseIPv6(ip) : undefined
  return bytes !== undefined && PUBLIC_V6.contains(bytes) && !EMBEDDING_V6.some((range) => range.contains(bytes))
}
