/**
 * The address of a peer as text: its form, and the network from which others reach it. PROTOCOL.md §7.5. Pure.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { parseIPv4, parseIPv6 } from '@chainsafe/is-ip/parse'
import { IpNet } from '@chainsafe/netmask'

/** An IP address or a name, a TCP port, a transport that peers dial or that clients use, and perhaps the peer id. */
const FORM =
  /^\/(ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/([1-9]\d{0,4})(\/ws|\/wss|\/tls\/ws|\/tls\/http|\/https)?(?:\/p2p\/(\w+))?$/i
const PORT_MAX = 65_535
/** IPv4 ranges that are not public: RFC 6890 without the ranges of examples, which nobody routes. */
const SPECIAL_V4: readonly [range: string, network: NetworkKind | undefined][] = [
  ['0.0.0.0/8', undefined],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'private'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', undefined],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', undefined],
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', undefined],
  ['224.0.0.0/3', undefined],
]
const SPECIAL_V6: readonly [range: string, network: NetworkKind | undefined][] = [
  ['::1/128', 'loopback'],
  ['fc00::/7', 'private'],
  // Teredo and 6to4 embed another address.
  ['2001::/32', undefined],
  ['2002::/16', undefined],
  ['2000::/3', 'public'],
]
const V4 = SPECIAL_V4.map(([range, network]) => ({ net: new IpNet(range), network }))
const V6 = SPECIAL_V6.map(([range, network]) => ({ net: new IpNet(range), network }))

/** The peers that reach an IP address: all, those of one network, or those of one machine. */
export type NetworkKind = 'public' | 'private' | 'loopback'

export interface AddressParts {
  kind: 'ip4' | 'ip6' | 'dns' | 'dns4' | 'dns6'
  host: string
  port: number
  /** Empty for TCP, otherwise the part after the port, such as `/ws`. */
  transport: string
  peerId: string | undefined
}

/** Undefined for a text that is no address of a peer. The host is not checked. */
export function addressToParts(address: string): AddressParts | undefined {
  const [, kind = '', host = '', port, transport = '', peerId] = FORM.exec(address) ?? []
  if (kind === '' || Number(port) > PORT_MAX) return undefined
  return { kind: kind.toLowerCase() as AddressParts['kind'], host, port: Number(port), transport, peerId }
}

/** Undefined for text that is no IP address, and for one that no other peer can dial: unspecified, link-local, multicast. */
export function ipToNetwork(ip: string): NetworkKind | undefined {
  const [ranges, bytes] = isIPv4(ip) ? [V4, parseIPv4(ip)] : isIPv6(ip) ? [V6, parseIPv6(ip)] : []
  if (ranges === undefined || bytes === undefined) return undefined
  const special = ranges.find(({ net }) => net.contains(bytes))
  return special === undefined && ranges === V4 ? 'public' : special?.network
}
