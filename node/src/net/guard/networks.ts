/**
 * Networks that an operator names: one CIDR or address a line; `#` begins a comment. node/README.md "Who may ask".
 * As in requester.ts, an IPv4 address inside IPv6 counts as IPv4. Throws RangeError with the number of the line.
 */
import { IpNet } from '@chainsafe/netmask'

/** Enough for the networks of a country's carriers. A request is compared with each of them. */
const NETWORKS_MAX = 10_000

export interface Networks {
  readonly size: number
  /** `ip` has 4 or 16 bytes. */
  has(ip: Uint8Array): boolean
}

/** At least one network, so that a file that is half written does not shut everybody out. */
export function textToNetworks(text: string): Networks {
  const items = text.split(/\r?\n/).map((line) => line.replace(/#.*$/, '').trim())
  const networks = items.flatMap((item, i) => (item === '' ? [] : [lineToNetwork(item, i + 1)]))
  if (networks.length < 1 || networks.length > NETWORKS_MAX) {
    throw new RangeError(`expected 1 to ${NETWORKS_MAX} networks, got ${networks.length}`)
  }
  return { size: networks.length, has: (ip) => networks.some((network) => network.contains(ip)) }
}

function lineToNetwork(item: string, line: number): IpNet {
  const [address = '', bits, ...more] = item.split('/')
  try {
    // The library reads no further than the second slash.
    if (more.length === 0) return new IpNet(`${address}/${bits ?? (address.includes(':') ? 128 : 32)}`)
  } catch {
    // Refused below.
  }
  throw new RangeError(`line ${line} expected a network such as 203.0.113.0/24 or 2001:db8::/32, got ${item}`)
}
