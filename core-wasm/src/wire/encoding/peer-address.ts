/**
 * The form of a peer's address as text, and where the address leads: to this machine, into a private network, or to the
 * internet. PROTOCOL.md §4.8, §7.5. A name counts by its form alone, because only the dialling machine can resolve it. Pure.
 */

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

/** The start of an address of any form. */
const HOST = /^\/(ip4|ip6|dns|dns4|dns6)\/([^/]+)(?:\/|$)/i
/** After the host: a TCP port, a transport that peers dial or that clients use, and perhaps the peer id. */
const AFTER_HOST = /^tcp\/([1-9]\d{0,4})(\/ws|\/wss|\/tls\/ws|\/tls\/http|\/https)?(?:\/p2p\/(\w+))?$/i
const PORT_MAX = 65_535
/** A domain name of the internet: two labels or more, the last of letters or Punycode. */
const DOMAIN = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})$/i
/** Last labels that no public name has: RFC 6761, RFC 6762, RFC 9476, and `.internal` (ICANN, 2024). */
const PRIVATE_LABEL = /\.(?:localhost|local|internal|alt|invalid|test|onion|home\.arpa)$/i
type Range = readonly [first: number, bits: number, network: NetworkKind | undefined]
/** Ranges of IPv4 that are not public: RFC 6890 without the ranges of examples, which nobody routes. */
const SPECIAL_V4: readonly Range[] = [
  [0x00000000, 8, undefined],
  [0x0a000000, 8, 'private'],
  [0x64400000, 10, 'private'],
  [0x7f000000, 8, 'loopback'],
  [0xa9fe0000, 16, undefined],
  [0xac100000, 12, 'private'],
  [0xc0000000, 24, undefined],
  [0xc0a80000, 16, 'private'],
  [0xc6120000, 15, undefined],
  [0xe0000000, 3, undefined],
]
/** By the first 32 bits. Teredo and 6to4, the first two ranges, embed another address. */
const SPECIAL_V6: readonly Range[] = [
  [0x20010000, 32, undefined],
  [0x20020000, 16, undefined],
  [0x20000000, 3, 'public'],
  [0xfc000000, 7, 'private'],
]

/** Undefined for a text that is no address of a peer. The host is not checked. */
export function addressToParts(address: string): AddressParts | undefined {
  const [start = '', kind = '', host = ''] = HOST.exec(address) ?? []
  const [, port, transport = '', peerId] = AFTER_HOST.exec(address.slice(start.length)) ?? []
  if (port === undefined || Number(port) > PORT_MAX) return undefined
  return { kind: kind.toLowerCase() as AddressParts['kind'], host, port: Number(port), transport, peerId }
}

/** Every address that is neither on the internet nor on this machine counts as private, also one of an unknown form. */
export function addressToNetwork(address: string): NetworkKind {
  const [, kind = '', host = ''] = HOST.exec(address) ?? []
  if (/^dns/i.test(kind)) return nameToNetwork(host)
  return host.includes(':') === /^ip6$/i.test(kind) ? (ipToNetwork(host) ?? 'private') : 'private'
}

/** Undefined for text that is no IP address, and for one that no other peer can dial: unspecified, link-local, multicast. */
export function ipToNetwork(ip: string): NetworkKind | undefined {
  const v4 = parseIpv4(ip)
  if (v4 !== undefined) {
    const special = SPECIAL_V4.find((range) => isIn(v4, range))
    return special === undefined ? 'public' : special[2]
  }
  const groups = parseIpv6(ip)
  if (groups === undefined) return undefined
  if (groups.every((group, i) => group === (i === 7 ? 1 : 0))) return 'loopback'
  const first = groups[0]! * 0x10000 + groups[1]!
  return SPECIAL_V6.find((range) => isIn(first, range))?.[2]
}

/** Whether a multiaddr names this machine. */
export function isLoopback(address: string): boolean {
  return addressToNetwork(address) === 'loopback'
}

function nameToNetwork(name: string): NetworkKind {
  if (/^localhost$/i.test(name)) return 'loopback'
  // Resolvers also take `127.1` and `0x7f000001`, whose last label is no letters.
  return DOMAIN.test(name) && !PRIVATE_LABEL.test(name) ? 'public' : 'private'
}

function isIn(ip: number, [first, bits]: Range): boolean {
  return ip >>> (32 - bits) === first >>> (32 - bits)
}

/** The address as an unsigned number; undefined for other text. */
function parseIpv4(text: string): number | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) return
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0)
}

/** The eight groups of an address; undefined for other text. */
function parseIpv6(text: string): number[] | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return
  const [head, tail] = halves.map(toGroups)
  if (head === undefined || (halves.length === 2 && tail === undefined)) return
  const given = head.length + (tail?.length ?? 0)
  // `::` stands for one group at least.
  if (tail === undefined ? given !== 8 : given > 7) return
  return tail === undefined ? head : [...head, ...Array<number>(8 - given).fill(0), ...tail]
}

/** The groups of a part without `::`. An IPv4 address at its end counts as two. */
function toGroups(text: string): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  for (const [i, part] of text.split(':').entries()) {
    const isLast = i === text.split(':').length - 1
    const ip = isLast && part.includes('.') ? parseIpv4(part) : undefined
    if (ip !== undefined) groups.push(ip >>> 16, ip & 0xffff)
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16))
    else return
  }
  return groups
}
