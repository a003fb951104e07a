/**
 * Turns an address into the requester that limits and quotas charge: the prefix of one subscriber. PROTOCOL.md §6.5.
 * IPv4 counts by its /32, IPv6 by its /56 inside a /48 fence; the quota of evaluations looks at the /64 besides. An IPv4
 * address embedded in IPv6 counts as IPv4.
 * A relayed connection shows the address of the relay, so it has no requester.
 */
import type { Socket } from 'node:net'
import { parseIPv4, parseIPv6 } from '@chainsafe/is-ip/parse'
import { IpNet } from '@chainsafe/netmask'

/** Both are undefined for a relayed connection and for an address that is no IP address. Never logged. */
export interface RequesterAddress {
  /** `4:127.0.0.1` (/32) or `6:fd99:0:0:100` (/56). */
  readonly prefix: string | undefined
  /** The /48 around an IPv6 prefix; equals `prefix` for IPv4. */
  readonly fence: string | undefined
}
/** The rest that a role may look at. Undefined for the same connections. Never logged. */
export interface RequesterNetworks extends RequesterAddress {
  /** The /64 of an IPv6 address; equals `prefix` for IPv4. */
  readonly subnet: string | undefined
  /** 4 or 16 bytes, for a list of networks that an operator allows. */
  readonly ip: Uint8Array | undefined
}

const UNKNOWN: RequesterNetworks = { prefix: undefined, fence: undefined, subnet: undefined, ip: undefined }
/** A zone names a network interface of this machine and is no part of the peer's address. */
const IP = /^(?:\/ip4\/([0-9.]+)|(?:\/ip6zone\/[^/]+)?\/ip6\/([0-9a-f:.]+))(?:\/|$)/i
/** IPv6 ranges that embed an IPv4 address, and the byte where it starts: IPv4-mapped, NAT64, 6to4. */
const EMBEDDING = [
  { range: new IpNet('::ffff:0:0/96'), start: 12 },
  { range: new IpNet('64:ff9b::/96'), start: 12 },
  { range: new IpNet('2002::/16'), start: 2 },
] as const

/** Requester of a remote multiaddr. */
export function addressToRequester(address: string): RequesterNetworks {
  const [, v4, v6] = address.includes('/p2p-circuit') ? [] : (IP.exec(address) ?? [])
  const bytes = v4 === undefined ? v6 && parseIPv6(v6) : parseIPv4(v4)
  if (!bytes) return UNKNOWN
  if (bytes.length === 4) return v4ToRequester(bytes)
  const start = EMBEDDING.find(({ range }) => range.contains(bytes))?.start
  return start === undefined ? v6ToRequester(bytes) : v4ToRequester(bytes.subarray(start, start + 4))
}

/** Requester of a socket. */
export function socketToRequester({ remoteAddress = '', remoteFamily }: Socket): RequesterNetworks {
  return addressToRequester(`/${remoteFamily === 'IPv6' ? 'ip6' : 'ip4'}/${remoteAddress}`)
}

/**
 * The network that a requester's prefix or fence belongs to: `4:203:0` (IPv4 /16) or `6:2001:db8` (IPv6 /32). A full table
 * drops entries of the network that has most.
 */
export function requesterToNetwork(name: string): string {
  return name.split(/[.:]/, 3).join(':')
}

function v4ToRequester(bytes: Uint8Array): RequesterNetworks {
  const prefix = `4:${bytes.join('.')}`
  return { prefix, fence: prefix, subnet: prefix, ip: Uint8Array.from(bytes) }
}

function v6ToRequester(bytes: Uint8Array): RequesterNetworks {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const fence = `6:${[0, 2, 4].map((at) => view.getUint16(at).toString(16)).join(':')}`
  const prefix = `${fence}:${(view.getUint16(6) & 0xff00).toString(16)}`
  // The word keeps the name of a /64 apart from that of a /56.
  return { prefix, fence, subnet: `${fence}:${view.getUint16(6).toString(16)}/64`, ip: Uint8Array.from(bytes) }
}
